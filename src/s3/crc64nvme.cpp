#include "s3/crc64nvme.hpp"

#include <array>
#include <bit>
#include <cstring>

namespace forebay::s3 {
namespace {

constexpr std::uint64_t kReflectedPolynomial = 0x9a6c9329ac4bc9b5;
/// Bytes that one step takes: their tables are looked up independently of each other.
constexpr std::size_t kStride = 8;

using Table = std::array<std::uint64_t, 256>;

constexpr std::array<Table, kStride> make_tables() {
  std::array<Table, kStride> tables{};
  for (std::uint64_t byte = 0; byte < 256; ++byte) {
    std::uint64_t crc = byte;
    for (int bit = 0; bit < 8; ++bit)
      crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? kReflectedPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (std::size_t step = 1; step < kStride; ++step) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint64_t before = tables[step - 1][byte];
      tables[step][byte] = (before >> 8U) ^ tables[0][before & 0xff];
    }
  }
  return tables;
}

constexpr auto kTables = make_tables();

}  // namespace

std::uint64_t crc64nvme(std::uint64_t crc, std::span<const std::byte> bytes) {
  static_assert(std::endian::native == std::endian::little);
  crc = ~crc;
  while (bytes.size() >= kStride) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    word ^= crc;
    crc = 0;
    for (std::size_t i = 0; i < kStride; ++i)
      crc ^= kTables[kStride - 1 - i][(word >> (8 * i)) & 0xff];
    bytes = bytes.subspan(kStride);
  }
  for (const std::byte byte : bytes)
    crc = (crc >> 8U) ^ kTables[0][(crc ^ std::to_integer<std::uint64_t>(byte)) & 0xff];
  return ~crc;
}

}  // namespace forebay::s3
