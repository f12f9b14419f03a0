#include <forebay/base/errc.hpp>
#include <forebay/net/stream.hpp>
#include <forebay/runtime/waiter.hpp>

#include <boost/container/small_vector.hpp>

namespace forebay::net {
namespace {

/// `other` is null where one stream is all.
Task<Result<void>> wait_for_any_input(Stream& one, Stream* other, Deadline deadline) {
  std::shared_ptr<runtime::Waiter> waiter;
  for (;;) {
    if (one.input() != Input::none || (other != nullptr && other->input() != Input::none))
      co_return success();
    if (!waiter)
      waiter = runtime::Waiter::create();
    one.wake_at_input(waiter);
    if (other != nullptr)
      other->wake_at_input(waiter);
    const bool woken = co_await waiter->wait(deadline);
    if (!woken)
      co_return Errc::timeout;
  }
}

}  // namespace

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

Task<Result<void>> wait_for_input(Stream& stream, Deadline deadline) {
  co_return co_await wait_for_any_input(stream, nullptr, deadline);
}

Task<Result<void>> wait_for_input(Stream& one, Stream& other, Deadline deadline) {
  co_return co_await wait_for_any_input(one, &other, deadline);
}

}  // namespace forebay::net
