#include "net/head_scanner.hpp"

#include <forebay/base/errc.hpp>

namespace forebay::net {

Result<bool> HeadScanner::feed(std::span<const std::byte> bytes) {
  for (const std::byte byte : bytes) {
    const char c = static_cast<char>(byte);
    ++size_;
    if (after_cr_ != (c == '\n'))
      return Errc::protocol;
    after_cr_ = c == '\r';
    if (c == '\r')
      continue;
    if (c == '\n') {
      if (line_size_ == 0)
        return first_line_ ? Result<bool>{Errc::protocol} : Result<bool>{true};
      first_line_ = false;
      line_size_ = 0;
      continue;
    }
    if (c == '\0' || (line_size_ == 0 && (c == ' ' || c == '\t')))
      return Errc::protocol;
    ++line_size_;
  }
  return false;
}

}  // namespace forebay::net
