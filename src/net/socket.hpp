#pragma once
// What plain and TLS streams share: one non-blocking TCP socket and waits with deadlines.
#include <forebay/base/result.hpp>
#include <forebay/net/stream.hpp>
#include <forebay/runtime/deadline.hpp>
#include <forebay/runtime/task.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include <boost/asio/ip/tcp.hpp>

namespace forebay::runtime {
class Waiter;
}

namespace forebay::net {

/// A connected socket on its worker. The try_ calls never wait and work below Asio, which only
/// tells readiness; so a call costs one system call while data flows.
class Socket {
 public:
  enum class Ready { read, write };
  /// Whether interrupt() ends the wait.
  enum class Interrupt { ends_wait, ignored };

  /// Sets TCP_NODELAY and keep-alive.
  explicit Socket(boost::asio::ip::tcp::socket socket);

  /// 0: nothing there. Errc::closed at the orderly end, Errc::truncated for a broken connection.
  Result<std::size_t> try_receive(std::span<std::byte> buffer);
  /// 0: would wait. Errc::closed for a broken connection.
  Result<std::size_t> try_send(std::span<const ConstBytes> parts);
  Input input();

  /// Errc::timeout, Errc::cancelled (closed or interrupted meanwhile). Any number of tasks.
  Task<Result<void>> wait(Ready ready, Interrupt interrupt, Deadline deadline);
  /// Wakes `waiter` once the socket is ready, closed or interrupted; a later call for the same
  /// `ready` replaces it. At most one such watch is pending for each, however often this is called.
  void wake(Ready ready, std::shared_ptr<runtime::Waiter> waiter);
  /// Lets the worker's other tasks run now and then; await it after every operation that did not
  /// have to wait, or a busy peer would keep the worker for itself.
  Task<void> yield_when_due();

  /// The end of shutdown_gracefully().
  Task<void> half_close_and_drain(Deadline deadline);
  void close();
  void abort();
  void interrupt();
  bool interrupted() const { return interrupted_; }
  bool closed() const { return !socket_.is_open(); }
  const std::string& remote_address() const { return remote_address_; }

 private:
  class WaitLimit;
  struct Watch;

  void end_watch(Ready ready);

  boost::asio::ip::tcp::socket socket_;
  std::string remote_address_;
  unsigned unyielded_ = 0;
  bool interrupted_ = false;
  std::array<std::shared_ptr<Watch>, 2> watches_;  ///< By Ready; made at first need.
};

}  // namespace forebay::net
