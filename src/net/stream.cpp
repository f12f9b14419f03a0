#include <forebay/base/errc.hpp>
#include <forebay/net/stream.hpp>

#include <boost/container/small_vector.hpp>

namespace forebay::net {

Task<Result<void>> Stream::wait_to_write(Deadline deadline) {
  constexpr milliseconds kLookInterval{100};
  if (!stop_writes_at_input_)
    co_return co_await wait_writable(deadline);
  for (;;) {
    const auto waited = co_await wait_writable(deadline.capped(kLookInterval));
    if (waited || waited.error() != Errc::timeout || deadline.expired())
      co_return waited;
    if (input() != Input::none)
      co_return Errc::closed;
  }
}

Task<Result<void>> Stream::write_all(std::span<const ConstBytes> parts, Deadline deadline) {
  boost::container::small_vector<ConstBytes, 8> left{parts.begin(), parts.end()};
  std::size_t first = 0;
  for (;;) {
    while (first < left.size() && left[first].empty())
      ++first;
    if (first == left.size())
      break;
    CO_TRY(std::size_t taken, try_write(std::span{left}.subspan(first)));
    if (taken == 0) {
      CO_TRY(co_await wait_to_write(deadline));
      continue;
    }
    while (taken != 0) {
      const std::size_t of_part = std::min(taken, left[first].size());
      left[first] = left[first].subspan(of_part);
      taken -= of_part;
      if (left[first].empty())
        ++first;
    }
  }
  co_return co_await flush(deadline);
}

Task<Result<void>> Stream::write_all(std::string_view text, Deadline deadline) {
  const ConstBytes part = as_bytes(text);
  const std::span<const ConstBytes> parts{&part, 1};
  co_return co_await write_all(parts, deadline);
}

}  // namespace forebay::net
