#include "s3/sha256_state.hpp"

#include <algorithm>

#include <openssl/crypto.h>

// OpenSSL 3 deprecates its low-level functions and has no other way to copy a state cheaply. This
// is the only file that calls them. None of these calls can fail on a state that SHA256_Init has
// set up.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace forebay::s3 {
namespace {

constexpr std::size_t kBlockBytes = SHA256_CBLOCK;

/// Erases the state, too: that of an HMAC is as good as its key.
Sha256::Digest finish(SHA256_CTX& state) {
  Sha256::Digest digest;
  SHA256_Final(reinterpret_cast<unsigned char*>(digest.data()), &state);
  OPENSSL_cleanse(&state, sizeof state);
  return digest;
}

/// The state behind one block of `key`, each byte combined with `pad`.
SHA256_CTX padded(std::array<std::byte, kBlockBytes> key, std::byte pad) {
  for (auto& byte : key)
    byte ^= pad;
  SHA256_CTX state;
  SHA256_Init(&state);
  SHA256_Update(&state, key.data(), key.size());
  OPENSSL_cleanse(key.data(), key.size());
  return state;
}

}  // namespace

Sha256::Digest sha256(std::string_view bytes) {
  SHA256_CTX state;
  SHA256_Init(&state);
  SHA256_Update(&state, bytes.data(), bytes.size());
  return finish(state);
}

HmacKey::HmacKey(std::span<const std::byte> key) {
  std::array<std::byte, kBlockBytes> block{};
  if (key.size() > block.size()) {
    auto digest = sha256({reinterpret_cast<const char*>(key.data()), key.size()});
    std::copy(digest.begin(), digest.end(), block.begin());
    OPENSSL_cleanse(digest.data(), digest.size());
  } else {
    std::copy(key.begin(), key.end(), block.begin());
  }
  inner_ = padded(block, std::byte{0x36});
  outer_ = padded(block, std::byte{0x5c});
  OPENSSL_cleanse(block.data(), block.size());
}

HmacKey::~HmacKey() {
  OPENSSL_cleanse(&inner_, sizeof inner_);
  OPENSSL_cleanse(&outer_, sizeof outer_);
}

Sha256::Digest HmacKey::sign(std::string_view message) const {
  SHA256_CTX state = inner_;
  SHA256_Update(&state, message.data(), message.size());
  const auto digest = finish(state);
  state = outer_;
  SHA256_Update(&state, digest.data(), digest.size());
  return finish(state);
}

}  // namespace forebay::s3
