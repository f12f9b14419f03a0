#include "support/memory_device.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/base/errc.hpp>

#include <cstring>
#include <utility>

#include <boost/asio/post.hpp>

namespace forebay::test {
namespace {

std::uint64_t checked_length(std::uint64_t offset, const std::vector<iovec>& parts) {
  std::uint64_t length = 0;
  ASSERT(!parts.empty() && offset % io::kDeviceAlignment == 0);
  for (const iovec& part : parts) {
    ASSERT(part.iov_len != 0 && part.iov_len % io::kDeviceAlignment == 0);
    ASSERT(reinterpret_cast<std::uintptr_t>(part.iov_base) % io::kDeviceAlignment == 0);
    length += part.iov_len;
  }
  return length;
}

std::vector<std::byte> gather(const std::vector<iovec>& parts) {
  std::vector<std::byte> data;
  for (const iovec& part : parts) {
    const auto* base = static_cast<const std::byte*>(part.iov_base);
    data.insert(data.end(), base, base + part.iov_len);
  }
  return data;
}

void scatter(const std::vector<std::byte>& data, const std::vector<iovec>& parts) {
  std::size_t at = 0;
  for (const iovec& part : parts) {
    const std::size_t size = std::min(part.iov_len, data.size() - at);
    std::memcpy(part.iov_base, data.data() + at, size);
    at += size;
  }
}

}  // namespace

void Gate::close() {
  const std::lock_guard lock{mutex_};
  closed_ = true;
}

void Gate::open() {
  std::vector<std::shared_ptr<runtime::Waiter>> waiters;
  {
    const std::lock_guard lock{mutex_};
    closed_ = false;
    waiters.swap(waiters_);
  }
  for (const auto& waiter : waiters)
    waiter->wake();
}

std::size_t Gate::waiting() const {
  const std::lock_guard lock{mutex_};
  return waiters_.size();
}

Task<void> Gate::pass() {
  const std::shared_ptr<runtime::Waiter> waiter = runtime::Waiter::create();
  {
    const std::lock_guard lock{mutex_};
    if (!closed_)
      co_return;
    waiters_.push_back(waiter);
  }
  co_await waiter->wait(Deadline::never());
}

Task<Result<void>> MemoryDevice::read(std::uint64_t offset, std::vector<iovec> parts) {
  return move(false, offset, std::move(parts));
}

Task<Result<void>> MemoryDevice::write(std::uint64_t offset, std::vector<iovec> parts) {
  return move(true, offset, std::move(parts));
}

Task<Result<void>> MemoryDevice::move(bool is_write, std::uint64_t offset,
                                      std::vector<iovec> parts) {
  const std::uint64_t length = checked_length(offset, parts);
  ASSERT(offset + length <= size_bytes_);
  // As with a real device, the caller is always suspended.
  co_await boost::asio::post(runtime::Worker::current().context(), boost::asio::use_awaitable);
  Fault fault = Fault::none;
  {
    const std::lock_guard lock{disk_->mutex};
    const DiskOperation operation{is_write, offset, length, disk_->operations++};
    ++(is_write ? disk_->writes : disk_->reads);
    if (disk_->fault)
      fault = disk_->fault(operation);
  }
  if (fault == Fault::delay)
    co_await disk_->gate.pass();
  if (fault == Fault::error)
    co_return Errc::device_failed;
  const std::uint64_t moved =
      fault == Fault::torn ? align_down(length / 2, io::kDeviceAlignment) : length;
  const std::lock_guard lock{disk_->mutex};
  const auto start = disk_->bytes.begin() + static_cast<std::ptrdiff_t>(offset);
  std::vector<std::byte> data =
      is_write ? gather(parts)
               : std::vector<std::byte>(start, start + static_cast<std::ptrdiff_t>(length));
  data.resize(moved);
  if (fault == Fault::flip)
    data[moved / 2] ^= std::byte{0x10};
  if (!is_write) {
    scatter(data, parts);
  } else if (fault != Fault::lost) {
    std::copy(data.begin(), data.end(), start);
    if (disk_->keep_log)
      disk_->log.push_back({offset, std::move(data)});
  }
  if (fault == Fault::torn)
    co_return Errc::device_failed;
  co_return success();
}

Result<std::unique_ptr<io::BlockDevice>> MemoryEngine::open(const std::string& path,
                                                            std::uint64_t size_bytes) {
  auto& disk = disks[path];
  if (!disk)
    disk = std::make_shared<MemoryDisk>(size_bytes);
  return std::make_unique<MemoryDevice>(disk, path);
}

}  // namespace forebay::test
