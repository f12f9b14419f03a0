#include "s3/sha256_state.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/s3/sha256.hpp>

#include <new>

#include <openssl/evp.h>

namespace forebay::s3 {

struct Sha256::Context {
  Context() : handle(EVP_MD_CTX_new()) {
    if (handle == nullptr)
      throw std::bad_alloc{};
    const int started = EVP_DigestInit_ex(handle, EVP_sha256(), nullptr);
    ASSERT(started == 1);
  }
  ~Context() { EVP_MD_CTX_free(handle); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  EVP_MD_CTX* handle;
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {}
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(std::span<const std::byte> bytes) {
  const int updated = EVP_DigestUpdate(context_->handle, bytes.data(), bytes.size());
  ASSERT(updated == 1);
}

void Sha256::update(std::string_view bytes) {
  update(std::as_bytes(std::span{bytes}));
}

Sha256::Digest Sha256::finish() {
  Digest digest;
  const int finished = EVP_DigestFinal_ex(context_->handle,
                                          reinterpret_cast<unsigned char*>(digest.data()), nullptr);
  ASSERT(finished == 1);
  return digest;
}

std::string Sha256::finish_hex() {
  return to_hex(finish());
}

std::string sha256_hex(std::string_view bytes) {
  return to_hex(sha256(bytes));
}

std::string to_hex(std::span<const std::byte> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(bytes.size() * 2, '0');
  char* digit = text.data();
  for (const auto byte : bytes) {
    *digit++ = kDigits[std::to_integer<unsigned>(byte) >> 4];
    *digit++ = kDigits[std::to_integer<unsigned>(byte) & 15];
  }
  return text;
}

}  // namespace forebay::s3
