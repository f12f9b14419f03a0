#pragma once
// Finds the end of a message head, and the faults in it that parsers let through.
#include <forebay/base/result.hpp>

#include <cstddef>
#include <span>

namespace forebay::net {

/// Fed with the bytes of one head as they arrive. Errc::protocol for what different servers read
/// differently: a bare CR or LF, NUL, a line that continues the one before (obs-fold, RFC 9112
/// section 5.2), an empty first line.
class HeadScanner {
 public:
  /// True when `bytes` holds the head's end; bytes after it are not looked at.
  Result<bool> feed(std::span<const std::byte> bytes);
  /// Bytes of the head so far; all of them once feed() was true.
  std::size_t size() const { return size_; }

 private:
  std::size_t size_ = 0;
  std::size_t line_size_ = 0;
  bool first_line_ = true;
  bool after_cr_ = false;
};

}  // namespace forebay::net
