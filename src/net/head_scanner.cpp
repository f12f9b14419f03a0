#include "net/head_scanner.hpp"

#include <forebay/base/errc.hpp>

#include <string_view>

namespace forebay::net {

Result<bool> HeadScanner::feed(std::span<const std::byte> bytes) {
  std::string_view text{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  while (!text.empty()) {
    if (after_cr_) {
      if (text.front() != '\n')
        return Errc::protocol;
      after_cr_ = false;
      ++size_;
      text.remove_prefix(1);
      if (line_size_ == 0)
        return first_line_ ? Result<bool>{Errc::protocol} : Result<bool>{true};
      first_line_ = false;
      line_size_ = 0;
      continue;
    }
    const std::string_view line = text.substr(0, text.find('\r'));
    const bool continues = line_size_ == 0 && (line.starts_with(' ') || line.starts_with('\t'));
    if (continues || line.find('\n') != line.npos || line.find('\0') != line.npos)
      return Errc::protocol;
    line_size_ += line.size();
    after_cr_ = line.size() != text.size();
    const std::size_t taken = line.size() + (after_cr_ ? 1 : 0);
    size_ += taken;
    text.remove_prefix(taken);
  }
  return false;
}

}  // namespace forebay::net
