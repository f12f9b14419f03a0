#include "io/file_device.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/base/errc.hpp>
#include <forebay/base/log.hpp>

#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace forebay::io {
namespace {

constexpr std::chrono::seconds kReportInterval{10};

/// What O_DIRECT asks for is our own duty: callers that break it are defects.
void check(std::uint64_t offset, const std::vector<iovec>& parts, std::uint64_t size_bytes) {
  std::uint64_t end = offset;
  ASSERT(!parts.empty() && offset % kDeviceAlignment == 0);
  for (const iovec& part : parts) {
    ASSERT(part.iov_len != 0 && part.iov_len % kDeviceAlignment == 0);
    ASSERT(reinterpret_cast<std::uintptr_t>(part.iov_base) % kDeviceAlignment == 0);
    end += part.iov_len;
  }
  ASSERT(end <= size_bytes);
}

}  // namespace

Task<Result<void>> FileDevice::read(std::uint64_t offset, std::vector<iovec> parts) {
  return transfer(false, offset, std::move(parts));
}

Task<Result<void>> FileDevice::write(std::uint64_t offset, std::vector<iovec> parts) {
  return transfer(true, offset, std::move(parts));
}

Task<Result<void>> FileDevice::transfer(bool is_write, std::uint64_t offset,
                                        std::vector<iovec> parts) {
  check(offset, parts, file_.size_bytes);
  auto start = [this, is_write, offset, &parts](auto done) {
    auto operation = std::make_unique<Transfer>();
    operation->lane = lane_;
    operation->is_write = is_write;
    operation->fd = file_.fd.get();
    operation->offset = offset;
    operation->parts = std::move(parts);
    // Not assigned: Boost 1.81's move assignment wraps its own type until the stack is used up.
    boost::asio::any_completion_handler<void(int)> handler{std::move(done)};
    operation->done.swap(handler);
    transport_.start(std::move(operation));
  };
  const int error =
      co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>&, void(int)>(
          start, boost::asio::use_awaitable);
  if (error == 0)
    co_return success();
  report(is_write, offset, error);
  co_return Errc::device_failed;
}

/// A device that fails may fail thousands of times a second.
void FileDevice::report(bool is_write, std::uint64_t offset, int error) {
  const TimePoint now = Clock::now();
  Clock::rep quiet_until = quiet_until_.load(std::memory_order_relaxed);
  if (now.time_since_epoch().count() < quiet_until)
    return;
  const Clock::rep next = (now + kReportInterval).time_since_epoch().count();
  // Only one of those who fail at the same time reports.
  if (!quiet_until_.compare_exchange_strong(quiet_until, next, std::memory_order_relaxed))
    return;
  log::get("io").error("{}: {} at {}: {}", file_.path, is_write ? "write" : "read", offset,
                       Error{error, boost::system::system_category()}.message());
}

}  // namespace forebay::io
