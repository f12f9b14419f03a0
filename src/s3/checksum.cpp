#include "s3/crc64nvme.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/http/message.hpp>
#include <forebay/s3/checksum.hpp>

#include <array>
#include <new>
#include <variant>

#include <isa-l/crc.h>
#include <openssl/evp.h>

namespace forebay::s3 {
namespace {

struct Traits {
  ChecksumAlgorithm algorithm;
  std::string_view field;
  std::string_view name;
  std::size_t size;
};

constexpr std::array kTraits{
    Traits{ChecksumAlgorithm::crc32, "x-amz-checksum-crc32", "CRC32", 4},
    Traits{ChecksumAlgorithm::crc32c, "x-amz-checksum-crc32c", "CRC32C", 4},
    Traits{ChecksumAlgorithm::crc64nvme, "x-amz-checksum-crc64nvme", "CRC64NVME", 8},
    Traits{ChecksumAlgorithm::sha1, "x-amz-checksum-sha1", "SHA1", 20},
    Traits{ChecksumAlgorithm::sha256, "x-amz-checksum-sha256", "SHA256", 32},
    Traits{ChecksumAlgorithm::md5, "Content-MD5", "Content-MD5", 16},
};

const Traits& traits(ChecksumAlgorithm algorithm) {
  return kTraits[static_cast<std::size_t>(algorithm)];
}

struct Crc32 {
  std::uint32_t value = 0;
};
struct Crc32c {
  std::uint32_t value = ~std::uint32_t{0};
};
struct Crc64 {
  std::uint64_t value = 0;
};

struct Digest {
  explicit Digest(const EVP_MD* algorithm) : handle(EVP_MD_CTX_new()) {
    if (!handle)
      throw std::bad_alloc{};
    const int started = EVP_DigestInit_ex(handle.get(), algorithm, nullptr);
    ASSERT(started == 1);
  }

  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> handle;
};

const unsigned char* data_of(std::span<const std::byte> bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

template <class Value>
std::string big_endian_base64(Value value) {
  std::array<std::byte, sizeof(Value)> bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::byte>(value >> (8 * (sizeof(Value) - 1 - i)));
  return to_base64(bytes);
}

}  // namespace

std::optional<ChecksumAlgorithm> checksum_of_field(std::string_view name) {
  for (const Traits& each : kTraits) {
    if (http::iequals(each.field, name))
      return each.algorithm;
  }
  return std::nullopt;
}

std::string_view name(ChecksumAlgorithm algorithm) {
  return traits(algorithm).name;
}

std::size_t digest_size(ChecksumAlgorithm algorithm) {
  return traits(algorithm).size;
}

std::size_t encoded_size(ChecksumAlgorithm algorithm) {
  return (digest_size(algorithm) + 2) / 3 * 4;
}

bool is_digest(ChecksumAlgorithm algorithm, std::string_view value) {
  if (value.size() != encoded_size(algorithm))
    return false;
  const std::size_t padding = (3 - digest_size(algorithm) % 3) % 3;
  const auto digits = value.substr(0, value.size() - padding);
  return value.substr(digits.size()) == std::string_view{"=="}.substr(0, padding) &&
         digits.find_first_not_of(
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
             "0123456789+/") == std::string_view::npos;
}

struct Checksum::State {
  std::variant<Crc32, Crc32c, Crc64, Digest> value;
};

Checksum::Checksum(ChecksumAlgorithm algorithm) : state_{std::make_unique<State>()} {
  switch (algorithm) {
    case ChecksumAlgorithm::crc32:
      break;
    case ChecksumAlgorithm::crc32c:
      state_->value.emplace<Crc32c>();
      break;
    case ChecksumAlgorithm::crc64nvme:
      state_->value.emplace<Crc64>();
      break;
    case ChecksumAlgorithm::sha1:
      state_->value.emplace<Digest>(EVP_sha1());
      break;
    case ChecksumAlgorithm::sha256:
      state_->value.emplace<Digest>(EVP_sha256());
      break;
    case ChecksumAlgorithm::md5:
      state_->value.emplace<Digest>(EVP_md5());
      break;
  }
}

Checksum::Checksum(Checksum&&) noexcept = default;
Checksum& Checksum::operator=(Checksum&&) noexcept = default;
Checksum::~Checksum() = default;

void Checksum::update(std::span<const std::byte> bytes) {
  struct Update {
    std::span<const std::byte> bytes;

    void operator()(Crc32& crc) const {
      crc.value = crc32_gzip_refl(crc.value, data_of(bytes), bytes.size());
    }
    void operator()(Crc32c& crc) const {
      // The library takes a pointer to what it does not change, and a length that fits an int.
      constexpr std::size_t kPiece = std::size_t{1} << 30U;
      for (auto rest = bytes; !rest.empty(); rest = rest.subspan(std::min(kPiece, rest.size()))) {
        const auto piece = rest.first(std::min(kPiece, rest.size()));
        crc.value = crc32_iscsi(const_cast<unsigned char*>(data_of(piece)),
                                static_cast<int>(piece.size()), crc.value);
      }
    }
    void operator()(Crc64& crc) const { crc.value = crc64nvme(crc.value, bytes); }
    void operator()(Digest& digest) const {
      const int updated = EVP_DigestUpdate(digest.handle.get(), bytes.data(), bytes.size());
      ASSERT(updated == 1);
    }
  };
  std::visit(Update{bytes}, state_->value);
}

std::string Checksum::finish() {
  struct Finish {
    std::string operator()(const Crc32& crc) const { return big_endian_base64(crc.value); }
    std::string operator()(const Crc32c& crc) const {
      return big_endian_base64(static_cast<std::uint32_t>(~crc.value));
    }
    std::string operator()(const Crc64& crc) const { return big_endian_base64(crc.value); }
    std::string operator()(Digest& digest) const {
      std::array<std::byte, EVP_MAX_MD_SIZE> bytes;
      unsigned int size = 0;
      const int finished = EVP_DigestFinal_ex(
          digest.handle.get(), reinterpret_cast<unsigned char*>(bytes.data()), &size);
      ASSERT(finished == 1);
      return to_base64(std::span{bytes}.first(size));
    }
  };
  return std::visit(Finish{}, state_->value);
}

std::string to_base64(std::span<const std::byte> bytes) {
  std::string text((bytes.size() + 2) / 3 * 4, '\0');
  // EVP_EncodeBlock ends what it writes with a null byte, which a std::string has room for.
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), data_of(bytes),
                  static_cast<int>(bytes.size()));
  return text;
}

}  // namespace forebay::s3
