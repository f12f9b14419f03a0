#pragma once
// Accepts connections on worker 0 and hands each to the least loaded worker.
#include <forebay/net/config.hpp>
#include <forebay/net/stream.hpp>
#include <forebay/runtime/worker.hpp>

#include <cstdint>
#include <memory>

namespace forebay::net {

/// What serves the connections of a listener. Called on every worker's thread, for many
/// connections at a time; kept alive by the listener and by each connection it serves.
class ConnectionHandler {
 public:
  virtual ~ConnectionHandler() = default;
  /// Serves one connection (TLS is done) until it ends. The connection counts until this returns.
  virtual Task<void> serve(std::unique_ptr<Stream> stream) = 0;
};

/// Made and destroyed outside the workers; the pool must outlive it, and be drained before it
/// stops. At max_connections, and for a moment when the process is out of file descriptors, it
/// stops accepting; newcomers wait in the kernel's queue.
class Listener {
 public:
  /// Binds, listens and begins to accept. Errc::invalid_config, logged: an address that cannot be
  /// bound, or TLS files that cannot be used.
  static Result<std::unique_ptr<Listener>> start(runtime::WorkerPool& pool,
                                                 const ListenConfig& config,
                                                 std::shared_ptr<ConnectionHandler> handler);
  ~Listener();  ///< stop()

  /// The port that was bound.
  std::uint16_t port() const;
  /// Whether only this machine can reach it: it is bound to a loopback address.
  bool is_loopback() const;
  /// Connections open now. Any thread.
  std::size_t connections() const;

  /// Accepts no more, and interrupts every connection (Stream::interrupt), so that the idle ones
  /// end at once and the others after their exchange. Returns at once; WorkerPool::drain() waits.
  void stop();

 private:
  struct State;
  explicit Listener(std::shared_ptr<State> state) : state_{std::move(state)} {}

  std::shared_ptr<State> state_;
};

}  // namespace forebay::net
