#include <forebay/cache/identity.hpp>

#include <algorithm>
#include <array>
#include <random>
#include <utility>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace forebay::cache {
namespace {

using Secret = std::array<std::uint8_t, XXH_SECRET_DEFAULT_SIZE>;

/// New at every start: who chooses keys cannot choose their hashes.
const Secret& secret() {
  static const Secret value = [] {
    Secret bytes;
    std::random_device device;
    std::generate(bytes.begin(), bytes.end(),
                  [&device] { return static_cast<std::uint8_t>(device()); });
    return bytes;
  }();
  return value;
}

Hash128 hash_bytes(std::string_view bytes) {
  const XXH128_hash_t hash =
      XXH3_128bits_withSecret(bytes.data(), bytes.size(), secret().data(), secret().size());
  return {hash.high64, hash.low64};
}

/// Length first: fields cannot run into each other.
void append(std::string& out, std::string_view field) {
  out.append(std::to_string(field.size())).push_back(':');
  out.append(field);
}

Hash128 identity_hash(const Identity& identity) {
  std::string text;
  for (const std::string* field :
       {&identity.origin, &identity.bucket, &identity.key, &identity.etag, &identity.version_id})
    append(text, *field);
  text.append(std::to_string(identity.size));
  return hash_bytes(text);
}

}  // namespace

Object::Object(Identity identity)
    : identity_{std::move(identity)}, hash_{identity_hash(identity_)} {}

std::uint32_t Object::block_length(std::uint32_t block) const {
  const std::uint64_t start = std::uint64_t{block} * kBlockSize;
  return static_cast<std::uint32_t>(std::min(kBlockSize, identity_.size - start));
}

Hash128 name_hash(std::string_view origin, std::string_view bucket, std::string_view key) {
  std::string text;
  for (const std::string_view field : {origin, bucket, key})
    append(text, field);
  return hash_bytes(text);
}

Hash128 block_hash(const Object& object, std::uint32_t block) {
  std::array<std::uint64_t, 3> words{object.hash().high, object.hash().low, block};
  return hash_bytes({reinterpret_cast<const char*>(words.data()), sizeof words});
}

}  // namespace forebay::cache
