#include "cache/slab_layout.hpp"

#include <forebay/base/errc.hpp>

#include <gtest/gtest.h>

namespace forebay::cache {
namespace {

using Buffer = std::array<std::byte, kHeaderSize>;

Superblock superblock() {
  Superblock s;
  s.uuid.fill(7);
  s.size_bytes = 10 * GiB;
  return s;
}

SlotHeader slot_header() {
  SlotHeader h;
  h.slab.fill(7);
  h.slot = 41;
  h.sequence = 99;
  h.identity = {"default", "bucket", "a/key with \xc3\xa9", "d41d8cd9-12", 9 * MiB, "null"};
  h.block = 2;
  h.length = MiB;
  for (std::size_t i = 0; i < h.checksums.size(); ++i)
    h.checksums[i] = static_cast<std::uint32_t>(i * 2654435761U);
  return h;
}

TEST(SlabLayout, ASuperblockRoundTrips) {
  Buffer buffer;
  encode(superblock(), buffer);
  const auto decoded = decode_superblock(buffer);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded.value().uuid, superblock().uuid);
  EXPECT_EQ(decoded.value().size_bytes, superblock().size_bytes);
}

TEST(SlabLayout, ASlotHeaderRoundTrips) {
  Buffer buffer;
  const SlotHeader header = slot_header();
  ASSERT_TRUE(encode(header, buffer));
  const auto decoded = decode_slot(buffer, header.slab, header.slot);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded.value().sequence, header.sequence);
  EXPECT_EQ(decoded.value().identity, header.identity);
  EXPECT_EQ(decoded.value().block, header.block);
  EXPECT_EQ(decoded.value().length, header.length);
  EXPECT_EQ(decoded.value().checksums, header.checksums);
}

TEST(SlabLayout, EveryFlippedBitIsNoticed) {
  Buffer slot_bytes;
  ASSERT_TRUE(encode(slot_header(), slot_bytes));
  Buffer super_bytes;
  encode(superblock(), super_bytes);
  for (std::size_t bit = 0; bit < kHeaderSize * 8; ++bit) {
    const auto mask = static_cast<std::byte>(1 << (bit % 8));
    slot_bytes[bit / 8] ^= mask;
    super_bytes[bit / 8] ^= mask;
    EXPECT_FALSE(decode_slot(slot_bytes, slot_header().slab, slot_header().slot)) << bit;
    EXPECT_FALSE(decode_superblock(super_bytes)) << bit;
    slot_bytes[bit / 8] ^= mask;
    super_bytes[bit / 8] ^= mask;
  }
}

TEST(SlabLayout, AnotherSlabOrSlotIsRefused) {
  Buffer buffer;
  const SlotHeader header = slot_header();
  ASSERT_TRUE(encode(header, buffer));
  SlabUuid other = header.slab;
  other[0] ^= 1;
  EXPECT_EQ(decode_slot(buffer, other, header.slot).error(), Errc::corrupt);
  EXPECT_EQ(decode_slot(buffer, header.slab, header.slot + 1).error(), Errc::corrupt);
}

TEST(SlabLayout, ALengthThatTheObjectCannotHaveIsRefused) {
  SlotHeader header = slot_header();
  Buffer buffer;
  header.length += 1;
  ASSERT_TRUE(encode(header, buffer));
  EXPECT_FALSE(decode_slot(buffer, header.slab, header.slot));
  header = slot_header();
  header.block = 3;
  ASSERT_TRUE(encode(header, buffer));
  EXPECT_FALSE(decode_slot(buffer, header.slab, header.slot));
}

TEST(SlabLayout, TheLongestS3KeyFitsAndMoreIsRefused) {
  SlotHeader header = slot_header();
  header.identity.key.assign(1024, 'k');
  header.identity.bucket.assign(63, 'b');
  header.identity.version_id.assign(1024, 'v');
  Buffer buffer;
  EXPECT_TRUE(encode(header, buffer));
  header.identity.etag.assign(3000, 'e');
  EXPECT_EQ(encode(header, buffer).error(), Errc::too_large);
}

TEST(SlabLayout, ZerosAreNoSuperblockAndOtherFormatsAreToldApart) {
  Buffer buffer{};
  EXPECT_EQ(decode_superblock(buffer).error(), Errc::not_found);
  buffer[17] = std::byte{1};
  EXPECT_EQ(decode_superblock(buffer).error(), Errc::corrupt);
}

TEST(PageChecksum, IsCrc32c) {
  const std::string_view text = "123456789";
  EXPECT_EQ(page_checksum(reinterpret_cast<const std::byte*>(text.data()), text.size()),
            0xe3069283U);
}

}  // namespace
}  // namespace forebay::cache
