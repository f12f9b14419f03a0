#include "cache/slab_layout.hpp"

#include <forebay/base/errc.hpp>

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>

namespace forebay::cache {
namespace {

constexpr std::uint64_t kSuperblockMagic = 0x31'59'41'42'45'52'4f'46;  // "FOREBAY1" in the file
constexpr std::uint32_t kSlotMagic = 0x31'53'42'46;                    // "FBS1" in the file
/// The last four bytes of either header: CRC32C of all before.
constexpr std::size_t kChecksumOffset = kHeaderSize - sizeof(std::uint32_t);

/// Appends little-endian fields; remembers when one did not fit.
class Writer {
 public:
  explicit Writer(std::span<std::byte> out) : out_{out} {}

  template <class Integer>
  void integer(Integer value) {
    static_assert(std::is_unsigned_v<Integer>);
    if (!has_room(sizeof value))
      return;
    for (std::size_t i = 0; i < sizeof value; ++i)
      out_[at_++] = static_cast<std::byte>(value >> (8 * i));
  }
  void bytes(const void* data, std::size_t size) {
    if (!has_room(size))
      return;
    std::memcpy(out_.data() + at_, data, size);
    at_ += size;
  }
  void text(const std::string& value) {
    fits_ = fits_ && value.size() <= std::numeric_limits<std::uint16_t>::max();
    integer(static_cast<std::uint16_t>(value.size()));
    bytes(value.data(), value.size());
  }
  bool fits() const { return fits_; }

 private:
  bool has_room(std::size_t size) {
    fits_ = fits_ && size <= out_.size() - at_;
    return fits_;
  }

  std::span<std::byte> out_;
  std::size_t at_ = 0;
  bool fits_ = true;
};

/// The inverse; reads zeros once the input has run out.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> in) : in_{in} {}

  template <class Integer>
  Integer integer() {
    Integer value = 0;
    if (!has(sizeof value))
      return value;
    for (std::size_t i = 0; i < sizeof value; ++i)
      value |= static_cast<Integer>(static_cast<Integer>(in_[at_++]) << (8 * i));
    return value;
  }
  void bytes(void* out, std::size_t size) {
    if (!has(size))
      return;
    std::memcpy(out, in_.data() + at_, size);
    at_ += size;
  }
  std::string text() {
    std::string value(integer<std::uint16_t>(), '\0');
    if (!has(value.size()))
      return {};
    bytes(value.data(), value.size());
    return value;
  }
  bool complete() const { return complete_; }

 private:
  bool has(std::size_t size) {
    complete_ = complete_ && size <= in_.size() - at_;
    return complete_;
  }

  std::span<const std::byte> in_;
  std::size_t at_ = 0;
  bool complete_ = true;
};

void seal(HeaderBytes out) {
  Writer{out.subspan(kChecksumOffset)}.integer(page_checksum(out.data(), kChecksumOffset));
}

bool is_sealed(ConstHeaderBytes bytes) {
  return Reader{bytes.subspan(kChecksumOffset)}.integer<std::uint32_t>() ==
         page_checksum(bytes.data(), kChecksumOffset);
}

}  // namespace

void encode(const Superblock& superblock, HeaderBytes out) {
  std::fill(out.begin(), out.end(), std::byte{0});
  Writer writer{out.first(kChecksumOffset)};
  writer.integer(kSuperblockMagic);
  writer.integer(kFormatVersion);
  writer.bytes(superblock.uuid.data(), superblock.uuid.size());
  writer.integer(std::uint64_t{kExtentSize});
  writer.integer(std::uint64_t{kBlockSize});
  writer.integer(std::uint64_t{kPageSize});
  writer.integer(superblock.size_bytes);
  // The zone table: one zone of whole-block slots.
  writer.integer(std::uint32_t{1});
  writer.integer(kFirstSlotOffset);
  writer.integer(kSlotSize);
  writer.integer(superblock.slot_count());
  seal(out);
}

Result<Superblock> decode_superblock(ConstHeaderBytes bytes) {
  if (std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; }))
    return Errc::not_found;
  Reader reader{bytes.first(kChecksumOffset)};
  if (reader.integer<std::uint64_t>() != kSuperblockMagic || !is_sealed(bytes))
    return Errc::corrupt;
  if (reader.integer<std::uint32_t>() != kFormatVersion)
    return Errc::invalid_config;
  Superblock superblock;
  reader.bytes(superblock.uuid.data(), superblock.uuid.size());
  const bool same_constants = reader.integer<std::uint64_t>() == kExtentSize &&
                              reader.integer<std::uint64_t>() == kBlockSize &&
                              reader.integer<std::uint64_t>() == kPageSize;
  superblock.size_bytes = reader.integer<std::uint64_t>();
  const bool same_zones = reader.integer<std::uint32_t>() == 1 &&
                          reader.integer<std::uint64_t>() == kFirstSlotOffset &&
                          reader.integer<std::uint64_t>() == kSlotSize &&
                          reader.integer<std::uint64_t>() == superblock.slot_count();
  if (!same_constants || !same_zones)
    return Errc::invalid_config;
  return superblock;
}

Result<void> encode(const SlotHeader& header, HeaderBytes out) {
  std::fill(out.begin(), out.end(), std::byte{0});
  Writer writer{out.first(kChecksumOffset)};
  writer.integer(kSlotMagic);
  writer.bytes(header.slab.data(), header.slab.size());
  writer.integer(header.slot);
  writer.integer(header.sequence);
  writer.integer(header.block);
  writer.integer(header.length);
  for (const std::uint32_t checksum : header.checksums)
    writer.integer(checksum);
  writer.integer(header.identity.size);
  for (const std::string* field :
       {&header.identity.origin, &header.identity.bucket, &header.identity.key,
        &header.identity.etag, &header.identity.version_id})
    writer.text(*field);
  if (!writer.fits())
    return Errc::too_large;
  seal(out);
  return success();
}

Result<SlotHeader> decode_slot(ConstHeaderBytes bytes, const SlabUuid& slab, std::uint64_t slot) {
  Reader reader{bytes.first(kChecksumOffset)};
  if (reader.integer<std::uint32_t>() != kSlotMagic || !is_sealed(bytes))
    return Errc::corrupt;
  SlotHeader header;
  reader.bytes(header.slab.data(), header.slab.size());
  header.slot = reader.integer<std::uint64_t>();
  header.sequence = reader.integer<std::uint64_t>();
  header.block = reader.integer<std::uint32_t>();
  header.length = reader.integer<std::uint32_t>();
  for (std::uint32_t& checksum : header.checksums)
    checksum = reader.integer<std::uint32_t>();
  header.identity.size = reader.integer<std::uint64_t>();
  for (std::string* field : {&header.identity.origin, &header.identity.bucket, &header.identity.key,
                             &header.identity.etag, &header.identity.version_id})
    *field = reader.text();
  const std::uint64_t start = std::uint64_t{header.block} * kBlockSize;
  const bool fits = start < header.identity.size &&
                    header.length == std::min(kBlockSize, header.identity.size - start);
  if (!reader.complete() || header.slab != slab || header.slot != slot || !fits)
    return Errc::corrupt;
  return header;
}

}  // namespace forebay::cache
