#include "net/socket.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/base/errc.hpp>
#include <forebay/runtime/waiter.hpp>
#include <forebay/runtime/watchdog.hpp>
#include <forebay/runtime/worker.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <boost/asio/post.hpp>
#include <sys/socket.h>
#include <sys/uio.h>

namespace forebay::net {
namespace {

using boost::asio::ip::tcp;

constexpr std::size_t kPartsMax = 64;
constexpr unsigned kOperationsPerTurn = 16;

std::string format_endpoint(const tcp::endpoint& endpoint) {
  const std::string address = endpoint.address().to_string();
  const std::string port = std::to_string(endpoint.port());
  return endpoint.address().is_v6() ? "[" + address + "]:" + port : address + ":" + port;
}

bool would_wait(int error) {
  return error == EAGAIN || error == EWOULDBLOCK;
}

}  // namespace

/// Ends the wait of one task at its deadline. Cancelling wakes every wait on the socket; those
/// whose reason it is not wait again.
class Socket::WaitLimit : public runtime::Watchdog::Entry {
 public:
  WaitLimit(tcp::socket& socket, Deadline deadline) : socket_{socket} {
    runtime::Worker::current().watchdog().arm(*this, deadline);
  }
  bool passed() const { return passed_; }

 private:
  void on_deadline() override {
    passed_ = true;
    boost::system::error_code ignored;
    socket_.cancel(ignored);
  }

  tcp::socket& socket_;
  bool passed_ = false;
};

/// Whom to wake. Shared with the operation, which may end after the socket.
struct Socket::Watch {
  std::shared_ptr<runtime::Waiter> waiter;
  bool pending = false;  ///< The operation has not ended.
};

Socket::Socket(tcp::socket socket) : socket_{std::move(socket)} {
  boost::system::error_code ec;
  socket_.set_option(tcp::no_delay{true}, ec);
  socket_.set_option(tcp::socket::keep_alive{true}, ec);
  const tcp::endpoint remote = socket_.remote_endpoint(ec);
  remote_address_ = ec ? "unknown" : format_endpoint(remote);
}

Result<std::size_t> Socket::try_receive(std::span<std::byte> buffer) {
  ASSERT(!buffer.empty());
  if (closed())
    return Errc::cancelled;
  for (;;) {
    const ssize_t got = ::recv(socket_.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got > 0)
      return static_cast<std::size_t>(got);
    if (got == 0)
      return Errc::closed;
    if (would_wait(errno))
      return std::size_t{0};
    if (errno != EINTR)
      return Errc::truncated;
  }
}

Result<std::size_t> Socket::try_send(std::span<const ConstBytes> parts) {
  if (closed())
    return Errc::cancelled;
  std::array<iovec, kPartsMax> vectors;
  std::size_t count = 0;
  for (const ConstBytes part : parts.first(std::min(parts.size(), kPartsMax))) {
    if (!part.empty())
      vectors[count++] = {const_cast<std::byte*>(part.data()), part.size()};
  }
  if (count == 0)
    return std::size_t{0};
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = count;
  for (;;) {
    const ssize_t sent = ::sendmsg(socket_.native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0)
      return static_cast<std::size_t>(sent);
    if (would_wait(errno))
      return std::size_t{0};
    if (errno != EINTR)
      return Errc::closed;
  }
}

Input Socket::input() {
  if (closed())
    return Input::closed;
  std::byte byte;
  const ssize_t got = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (got > 0)
    return Input::data;
  return got < 0 && (would_wait(errno) || errno == EINTR) ? Input::none : Input::closed;
}

Task<Result<void>> Socket::wait(Ready ready, Interrupt interrupt, Deadline deadline) {
  const auto kind = ready == Ready::read ? tcp::socket::wait_read : tcp::socket::wait_write;
  if (deadline.expired())
    co_return Errc::timeout;
  unyielded_ = 0;
  end_watch(ready);
  WaitLimit limit{socket_, deadline};
  for (;;) {
    if (closed())
      co_return Errc::cancelled;
    if (interrupted_ && interrupt == Interrupt::ends_wait)
      co_return Errc::cancelled;
    auto [ec] = co_await socket_.async_wait(kind, use_task);
    if (!ec)
      co_return success();
    if (limit.passed())
      co_return Errc::timeout;
    if (ec != boost::asio::error::operation_aborted)
      co_return Errc::closed;
  }
}

/// A watch left over from an earlier exchange may end at an event whose bytes have been read since,
/// and would end a wait beside it too early.
void Socket::end_watch(Ready ready) {
  const auto& watch = watches_[static_cast<std::size_t>(ready)];
  if (!watch || !watch->pending)
    return;
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

void Socket::wake(Ready ready, std::shared_ptr<runtime::Waiter> waiter) {
  std::shared_ptr<Watch>& watch = watches_[static_cast<std::size_t>(ready)];
  if (!watch)
    watch = std::make_shared<Watch>();
  watch->waiter = std::move(waiter);
  if (watch->pending)
    return;
  watch->pending = true;
  const auto kind = ready == Ready::read ? tcp::socket::wait_read : tcp::socket::wait_write;
  socket_.async_wait(kind, [watch](const boost::system::error_code&) {
    watch->pending = false;
    if (const auto woken = std::exchange(watch->waiter, nullptr); woken)
      woken->wake();
  });
}

Task<void> Socket::yield_when_due() {
  if (++unyielded_ < kOperationsPerTurn)
    co_return;
  unyielded_ = 0;
  co_await runtime::yield();
}

Task<void> Socket::half_close_and_drain(Deadline deadline) {
  constexpr std::size_t kAtOnce = 1U << 20;
  if (closed() || ::shutdown(socket_.native_handle(), SHUT_WR) != 0) {
    close();
    co_return;
  }
  while (!closed()) {
    // MSG_TRUNC drops TCP data in the kernel, without copying it (tcp(7)).
    const ssize_t got = ::recv(socket_.native_handle(), nullptr, kAtOnce, MSG_TRUNC | MSG_DONTWAIT);
    if (got > 0) {
      if (deadline.expired())
        break;
      co_await yield_when_due();
      continue;
    }
    if (got == 0 || !would_wait(errno))
      break;
    const auto readable = co_await wait(Ready::read, Interrupt::ignored, deadline);
    if (!readable)
      break;
  }
  close();
}

void Socket::close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

void Socket::abort() {
  boost::system::error_code ignored;
  if (!closed())
    socket_.set_option(boost::asio::socket_base::linger{true, 0}, ignored);
  close();
}

void Socket::interrupt() {
  interrupted_ = true;
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

}  // namespace forebay::net
