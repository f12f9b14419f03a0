#pragma once
// What a line looks like.
#include "base/log_ring.hpp"

#include <string_view>

#include <spdlog/details/log_msg.h>
#include <spdlog/pattern_formatter.h>

namespace forebay::log {

/// Formats lines, one at a time. One thread.
class Formatter {
 public:
  /// The line with its time, level and logger, and a newline; valid until the next call.
  std::string_view operator()(const Line& line) {
    spdlog::details::log_msg message{line.time, {}, line.logger, line.level, line.text};
    buffer_.clear();
    formatter_.format(message, buffer_);
    return {buffer_.data(), buffer_.size()};
  }

 private:
  spdlog::pattern_formatter formatter_{"%Y-%m-%dT%H:%M:%S.%e%z %L %n: %v"};
  spdlog::memory_buf_t buffer_;
};

}  // namespace forebay::log
