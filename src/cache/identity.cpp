#include <forebay/cache/identity.hpp>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <random>
#include <utility>

#include <boost/container/small_vector.hpp>

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

/// Of the fields, each with its length first, so that they cannot run into each other; and of a
/// number.
Hash128 hash_fields(std::initializer_list<std::string_view> fields, std::uint64_t number) {
  constexpr std::size_t kUsual = 512;
  boost::container::small_vector<char, kUsual> text;
  const auto append = [&text](const void* bytes, std::size_t size) {
    const auto* const begin = static_cast<const char*>(bytes);
    text.insert(text.end(), begin, begin + size);
  };
  append(&number, sizeof number);
  for (const std::string_view field : fields) {
    const std::uint64_t size = field.size();
    append(&size, sizeof size);
    append(field.data(), field.size());
  }
  return hash_bytes({text.data(), text.size()});
}

Hash128 identity_hash(const Identity& identity) {
  return hash_fields(
      {identity.origin, identity.bucket, identity.key, identity.etag, identity.version_id},
      identity.size);
}

}  // namespace

Object::Object(Identity identity)
    : identity_{std::move(identity)}, hash_{identity_hash(identity_)} {}

std::uint32_t Object::block_length(std::uint32_t block) const {
  const std::uint64_t start = std::uint64_t{block} * kBlockSize;
  return static_cast<std::uint32_t>(std::min(kBlockSize, identity_.size - start));
}

Hash128 name_hash(std::string_view origin, std::string_view bucket, std::string_view key) {
  return hash_fields({origin, bucket, key}, 0);
}

Hash128 block_hash(const Object& object, std::uint32_t block) {
  std::array<std::uint64_t, 3> words{object.hash().high, object.hash().low, block};
  return hash_bytes({reinterpret_cast<const char*>(words.data()), sizeof words});
}

}  // namespace forebay::cache
