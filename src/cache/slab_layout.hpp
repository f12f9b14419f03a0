#pragma once
// The bytes of a slab: docs/disk_format.md. Encoding is explicit little-endian; decoding trusts
// nothing. Pure.
#include <forebay/cache/disk_store.hpp>
#include <forebay/cache/identity.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace forebay::cache {

inline constexpr std::uint32_t kFormatVersion = 1;
/// A superblock and a slot header each fill one unit of O_DIRECT.
inline constexpr std::size_t kHeaderSize = io::kDeviceAlignment;
/// The first slot; what lies between is zero, for what may come.
inline constexpr std::uint64_t kFirstSlotOffset = 64 * KiB;
/// A header and one block.
inline constexpr std::uint64_t kSlotSize = kHeaderSize + kBlockSize;

using SlabUuid = std::array<std::uint8_t, 16>;
using HeaderBytes = std::span<std::byte, kHeaderSize>;
using ConstHeaderBytes = std::span<const std::byte, kHeaderSize>;

struct Superblock {
  SlabUuid uuid{};
  std::uint64_t size_bytes = 0;  ///< Of the file or device, as configured.

  std::uint64_t slot_count() const {
    return size_bytes <= kFirstSlotOffset ? 0 : (size_bytes - kFirstSlotOffset) / kSlotSize;
  }
};

struct SlotHeader {
  SlabUuid slab{};
  std::uint64_t slot = 0;
  std::uint64_t sequence = 0;
  Identity identity;
  std::uint32_t block = 0;
  std::uint32_t length = 0;  ///< Valid bytes of the block.
  PageChecksums checksums{};
};

void encode(const Superblock& superblock, HeaderBytes out);
/// Errc::corrupt: no superblock, or damaged. Errc::not_found: all zeros. Errc::invalid_config: of
/// another format or other constants.
Result<Superblock> decode_superblock(ConstHeaderBytes bytes);

/// Errc::too_large where the identity does not fit: such a block is not stored.
Result<void> encode(const SlotHeader& header, HeaderBytes out);
/// Errc::corrupt for anything but a whole header of this slab and slot.
Result<SlotHeader> decode_slot(ConstHeaderBytes bytes, const SlabUuid& slab, std::uint64_t slot);

constexpr std::uint64_t slot_offset(std::uint64_t slot) {
  return kFirstSlotOffset + slot * kSlotSize;
}

}  // namespace forebay::cache
