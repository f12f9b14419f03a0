#pragma once
// CRC-64/NVME, which isa-l of Debian 12 does not have: polynomial 0xad93d23594c93659, reflected,
// initial value and final exclusive-or all ones (NVM Command Set Specification 1.0, section
// 5.2.1.3.4).
#include <cstddef>
#include <cstdint>
#include <span>

namespace forebay::s3 {

/// The CRC of a message continued by `bytes`; 0 for the CRC of none.
std::uint64_t crc64nvme(std::uint64_t crc, std::span<const std::byte> bytes);

}  // namespace forebay::s3
