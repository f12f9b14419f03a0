#include <forebay/cache/disk_store.hpp>

#include <isa-l.h>

namespace forebay::cache {

std::uint32_t page_checksum(const std::byte* data, std::size_t size) {
  // The seed and the final inversion make it the CRC32C of RFC 3720 (check value of "123456789":
  // e3069283).
  auto* bytes = reinterpret_cast<unsigned char*>(const_cast<std::byte*>(data));
  return ~crc32_iscsi(bytes, static_cast<int>(size), ~0U);
}

}  // namespace forebay::cache
