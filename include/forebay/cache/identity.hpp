#pragma once
// What cached bytes hang on, and how they are cut up.
#include <forebay/base/units.hpp>
#include <forebay/io/buffer_pool.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace forebay::cache {

// Format constants: checked in the superblock (and, later, in the peer handshake).
inline constexpr std::uint64_t kExtentSize = 64 * MiB;  ///< Unit of placement, by absolute offset.
inline constexpr std::uint64_t kBlockSize = 4 * MiB;    ///< Unit of fill, eviction and disk slot.
inline constexpr std::uint64_t kPageSize = io::kPageSize;
inline constexpr std::uint32_t kPagesPerBlock = kBlockSize / kPageSize;
inline constexpr std::uint32_t kBlocksPerExtent = kExtentSize / kBlockSize;

/// One version of one object. Only objects with a strong ETag and a known length have one.
struct Identity {
  std::string origin;  ///< Origin id, from the configuration.
  std::string bucket;
  std::string key;         ///< Decoded.
  std::string etag;        ///< Strong, without its quotes.
  std::uint64_t size = 0;  ///< Bytes.
  std::string version_id;  ///< As the origin says, "null" included; empty where it says none.

  /// Whether the origin keeps this version when the object is overwritten.
  bool has_version() const { return !version_id.empty() && version_id != "null"; }
  bool operator==(const Identity&) const = default;
};

/// 128 bits of a hash keyed afresh at every start: for tables in memory only, never on a wire or a
/// disk.
struct Hash128 {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  bool operator==(const Hash128&) const = default;
};

/// An identity with its hashes, immutable and shared by everything that works on that version. Any
/// thread.
class Object {
 public:
  explicit Object(Identity identity);

  const Identity& identity() const { return identity_; }
  /// Of the whole identity.
  const Hash128& hash() const { return hash_; }
  std::uint32_t block_count() const {
    return static_cast<std::uint32_t>(div_ceil(identity_.size, kBlockSize));
  }
  /// Bytes in that block: kBlockSize but for the last.
  std::uint32_t block_length(std::uint32_t block) const;

 private:
  Identity identity_;
  Hash128 hash_;
};
using ObjectPtr = std::shared_ptr<const Object>;

/// Of origin, bucket and key alone: every version of an object has the same.
Hash128 name_hash(std::string_view origin, std::string_view bucket, std::string_view key);
/// Of one block of one version.
Hash128 block_hash(const Object& object, std::uint32_t block);

/// Pages needed for `length` bytes.
constexpr std::uint32_t page_count(std::uint32_t length) {
  return static_cast<std::uint32_t>(div_ceil(length, kPageSize));
}

}  // namespace forebay::cache

template <>
struct std::hash<forebay::cache::Hash128> {
  std::size_t operator()(const forebay::cache::Hash128& h) const noexcept { return h.low; }
};
