#pragma once
// The memory a configuration may come to use, by who uses it. Pure.
#include <forebay/config/config.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace forebay::app {

struct MemoryUse {
  std::string user;  ///< "pool"
  std::uint64_t bytes = 0;
  std::string reckoning;  ///< "4096 connections of ..."
};

/// An upper bound: every connection open and every buffer full at the same time.
std::vector<MemoryUse> plan_memory(const config::Config& config, std::size_t workers);

std::uint64_t total_bytes(const std::vector<MemoryUse>& plan);

/// A line for each user and one for the sum; with the limit, where there is one.
std::string describe(const std::vector<MemoryUse>& plan, std::optional<std::uint64_t> limit);

}  // namespace forebay::app
