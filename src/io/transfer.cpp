#include "io/transport.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>

namespace forebay::io {
namespace {

/// Attempts in a row that may move nothing.
constexpr int kFutileAttemptsMax = 100;

}  // namespace

std::optional<int> Transfer::note(int result) {
  if (result == -EINTR || result == -EAGAIN) {
    if (++futile_attempts_ == kFutileAttemptsMax)
      return -result;
    return std::nullopt;
  }
  if (result < 0)
    return -result;
  // The end of the file where bytes were expected: somebody cut it.
  if (result == 0)
    return EIO;
  futile_attempts_ = 0;
  auto left = static_cast<std::size_t>(result);
  offset += left;
  auto part = parts.begin();
  for (; part != parts.end() && left >= part->iov_len; ++part)
    left -= part->iov_len;
  parts.erase(parts.begin(), part);
  if (parts.empty())
    return 0;
  parts.front().iov_base = static_cast<std::byte*>(parts.front().iov_base) + left;
  parts.front().iov_len -= left;
  return std::nullopt;
}

}  // namespace forebay::io
