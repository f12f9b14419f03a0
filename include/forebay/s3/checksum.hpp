#pragma once
// The checksums that S3 clients send with a body: Content-MD5 and x-amz-checksum-*, as fields or as
// trailers. Amazon S3 User Guide, "Checking object integrity". Pure.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace forebay::s3 {

enum class ChecksumAlgorithm { crc32, crc32c, crc64nvme, sha1, sha256, md5 };

/// The algorithm of a field by its name, in any case: x-amz-checksum-crc32 and its like, and
/// Content-MD5. nullopt for every other field.
std::optional<ChecksumAlgorithm> checksum_of_field(std::string_view name);
/// "CRC32C"; for messages.
std::string_view name(ChecksumAlgorithm algorithm);
/// Bytes of a digest, before base64.
std::size_t digest_size(ChecksumAlgorithm algorithm);
/// Characters of a digest in base64.
std::size_t encoded_size(ChecksumAlgorithm algorithm);
/// Whether `value` is a digest of that algorithm in base64. Only the form is looked at.
bool is_digest(ChecksumAlgorithm algorithm, std::string_view value);

/// One body's checksum. Not thread-safe; movable. Throws std::bad_alloc only.
class Checksum {
 public:
  explicit Checksum(ChecksumAlgorithm algorithm);
  Checksum(Checksum&&) noexcept;
  Checksum& operator=(Checksum&&) noexcept;
  ~Checksum();

  void update(std::span<const std::byte> bytes);
  /// The digest in base64, as fields carry it. Ends the computation.
  std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Base64 (RFC 4648 section 4) of `bytes`, padded.
std::string to_base64(std::span<const std::byte> bytes);

}  // namespace forebay::s3
