#pragma once
// A stream without a socket: reads hand out prepared pieces, writes are collected.
#include <forebay/base/errc.hpp>
#include <forebay/net/stream.hpp>
#include <forebay/runtime/waiter.hpp>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <limits>
#include <memory>
#include <string>
#include <utility>

namespace forebay::net::testing {

class ScriptedStream final : public Stream {
 public:
  /// Reads bring at most one piece each, then `end`.
  explicit ScriptedStream(std::deque<std::string> pieces, Error end = Errc::closed)
      : pieces_{std::move(pieces)}, end_{end} {}

  Task<Result<std::size_t>> read_some(std::span<std::byte> buffer, Deadline) override {
    ++reads;
    while (!pieces_.empty() && pieces_.front().empty())
      pieces_.pop_front();
    if (pieces_.empty())
      co_return end_;
    std::string& piece = pieces_.front();
    const std::size_t size = std::min(piece.size(), buffer.size());
    std::copy_n(as_bytes(piece).begin(), size, buffer.begin());
    piece.erase(0, size);
    co_return size;
  }
  Task<Result<bool>> wait_readable(Deadline) override {
    if (interrupted_)
      co_return Errc::cancelled;
    co_return !(pieces_.empty() && end_ == Errc::timeout);
  }
  void wake_at_input(std::shared_ptr<runtime::Waiter> waiter) override { waiter->wake(); }
  Input input() override {
    const bool has_data =
        std::ranges::any_of(pieces_, [](const auto& piece) { return !piece.empty(); });
    return has_data ? Input::data : Input::closed;
  }
  Result<std::size_t> try_write(std::span<const ConstBytes> parts) override {
    if (blocked_)
      return std::size_t{0};
    std::size_t taken = 0;
    for (const ConstBytes part : parts) {
      const std::size_t size = std::min(part.size(), write_max - taken);
      written.append(reinterpret_cast<const char*>(part.data()), size);
      taken += size;
    }
    ++writes;
    blocked_ = write_max != std::numeric_limits<std::size_t>::max();
    return taken;
  }
  Task<Result<void>> wait_writable(Deadline) override {
    blocked_ = false;
    co_return success();
  }
  Task<Result<void>> flush(Deadline) override {
    ++flushes;
    co_return success();
  }
  Task<void> shutdown_gracefully(Deadline) override { co_return; }
  void abort() override { close(); }
  void close() override {}
  void interrupt() override { interrupted_ = true; }
  bool interrupted() const override { return interrupted_; }
  const std::string& remote_address() const override { return address_; }

  std::string written;
  /// Bytes a try_write takes; then it would wait until wait_writable().
  std::size_t write_max = std::numeric_limits<std::size_t>::max();
  int reads = 0;
  int writes = 0;
  int flushes = 0;

 private:
  std::deque<std::string> pieces_;
  Error end_;
  bool interrupted_ = false;
  bool blocked_ = false;
  std::string address_ = "scripted";
};

}  // namespace forebay::net::testing
