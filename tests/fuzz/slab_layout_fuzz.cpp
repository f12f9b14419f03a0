// Superblocks and slot headers. Input: what follows the magic number, which is set as the checksum
// is, or nothing would get past them.
#include "cache/slab_layout.hpp"
#include "entry.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/cache/disk_store.hpp>

#include <algorithm>
#include <array>
#include <cstring>

namespace forebay::fuzz {
namespace {

using Header = std::array<std::byte, cache::kHeaderSize>;

Header sealed(std::string_view magic, std::string_view rest) {
  Header header{};
  constexpr std::size_t kChecksumOffset = cache::kHeaderSize - 4;
  std::memcpy(header.data(), magic.data(), magic.size());
  std::memcpy(header.data() + magic.size(), rest.data(),
              std::min(rest.size(), kChecksumOffset - magic.size()));
  const std::uint32_t sum = cache::page_checksum(header.data(), kChecksumOffset);
  for (std::size_t i = 0; i < 4; ++i)
    header[kChecksumOffset + i] = static_cast<std::byte>(sum >> (8 * i));
  return header;
}

void check_superblock(std::string_view input) {
  const Header header = sealed("FOREBAY1", input);
  const auto superblock = cache::decode_superblock(header);
  if (!superblock)
    return;
  Header again;
  cache::encode(superblock.value(), again);
  const auto decoded = cache::decode_superblock(again);
  ASSERT(decoded && decoded.value().uuid == superblock.value().uuid);
  ASSERT(decoded.value().size_bytes == superblock.value().size_bytes);
}

void check_slot(std::string_view input, std::uint64_t slot) {
  cache::SlabUuid uuid;
  uuid.fill('U');
  const Header header = sealed("FBS1", input);
  const auto decoded = cache::decode_slot(header, uuid, slot);
  if (!decoded)
    return;
  ASSERT(decoded.value().slot == slot && decoded.value().slab == uuid);
  ASSERT(decoded.value().length != 0 && decoded.value().length <= cache::kBlockSize);
  Header again;
  ASSERT(cache::encode(decoded.value(), again));
  const auto twice = cache::decode_slot(again, uuid, slot);
  ASSERT(twice && twice.value().identity == decoded.value().identity);
  ASSERT(!cache::decode_slot(again, uuid, slot + 1));
}

}  // namespace

void check(std::string_view input) {
  check_superblock(input);
  check_slot(input, '0');
}

}  // namespace forebay::fuzz
