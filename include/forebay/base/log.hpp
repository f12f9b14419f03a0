#pragma once
// One logger a room, all on the same sink (stderr). Never log a secret, a signature or a query
// string that may hold one.
#include <forebay/base/result.hpp>

#include <memory>
#include <string>
#include <string_view>

#include <spdlog/logger.h>
#include <spdlog/spdlog.h>

namespace forebay::log {

struct Config {
  std::string level = "info";  ///< trace, debug, info, warn, error, off
  bool access = true;          ///< One line a request, on the logger "access".
};

/// Sets level and pattern of every logger, present and future. Call once, before threads start.
/// Errc::invalid_config for an unknown level.
Result<void> configure(const Config& config);

/// The logger named `room`, made on first use. Any thread; keep the reference, it lives as long as
/// the process.
spdlog::logger& get(std::string_view room);

}  // namespace forebay::log
