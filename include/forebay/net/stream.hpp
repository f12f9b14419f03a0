#pragma once
// One connection, plain or TLS, client or server side: bytes in, bytes out, a deadline on
// every wait. Sockets and TLS live behind it, in src/net.
#include <forebay/base/result.hpp>
#include <forebay/runtime/deadline.hpp>
#include <forebay/runtime/task.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <boost/intrusive/list_hook.hpp>

namespace forebay::runtime {
class Waiter;
}

namespace forebay::net {

using ConstBytes = std::span<const std::byte>;

inline ConstBytes as_bytes(std::string_view text) {
  return std::as_bytes(std::span{text.data(), text.size()});
}

/// What a look at the socket shows, without waiting.
enum class Input {
  none,    ///< Open, and nothing has arrived.
  data,    ///< A read would return bytes.
  closed,  ///< The peer is gone, or will send nothing more.
};

/// Belongs to one worker and is made, used and destroyed on its thread. At most one task reads and
/// at most one writes at a time (they may be two). Buffers and spans given to a call must stay
/// until it returns.
///
/// Failures of every await: Errc::timeout when the deadline passed (the connection stays usable:
/// an error response can still be sent), Errc::cancelled after close() by another task.
/// Reading: Errc::closed at the peer's orderly end, Errc::truncated where the connection broke (a
/// reset, or TLS that ends without close_notify). Writing: Errc::closed for every broken
/// connection.
class Stream : public boost::intrusive::list_base_hook<
                   boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  virtual ~Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// At least one byte into `buffer`, which must not be empty; never 0.
  virtual Task<Result<std::size_t>> read_some(std::span<std::byte> buffer, Deadline deadline) = 0;

  /// True when a read would not wait (bytes, end or error), false when the deadline passed. The one
  /// wait that interrupt() ends: Errc::cancelled.
  virtual Task<Result<bool>> wait_readable(Deadline deadline) = 0;

  /// Input::data or closed as a read would find it. One system call.
  virtual Input input() = 0;
  /// After input() said `none`: wakes `waiter` once, when that may have changed, perhaps for
  /// nothing. A later call replaces the waiter of an earlier one. Unlike a wait it keeps no task,
  /// so one task can await several streams: see wait_for_input().
  virtual void wake_at_input(std::shared_ptr<runtime::Waiter> waiter) = 0;
  /// For a pooled connection, which is stale as well when input() is `data`; or a client that left.
  bool peer_closed() { return input() == Input::closed; }

  /// Takes what fits without waiting, in order over the parts; 0: wait_writable() first. Bytes
  /// taken are copied: the memory may be reused at once. With TLS up to 16 KiB of them may wait in
  /// the stream; call flush() after the last.
  virtual Result<std::size_t> try_write(std::span<const ConstBytes> parts) = 0;
  /// Until try_write() would take bytes again.
  virtual Task<Result<void>> wait_writable(Deadline deadline) = 0;
  /// Until nothing that try_write() took waits in the stream. Immediate without TLS.
  virtual Task<Result<void>> flush(Deadline deadline) = 0;

  /// Writes and flushes all parts; the deadline covers the whole call, so keep the parts small
  /// against it where the peer may be slow.
  Task<Result<void>> write_all(std::span<const ConstBytes> parts, Deadline deadline);
  Task<Result<void>> write_all(std::string_view text, Deadline deadline);

  /// While set, a write_all() that has to wait ends with Errc::closed when input comes meanwhile:
  /// an answer before the end of what is being written.
  void stop_writes_at_input(bool stop) { stop_writes_at_input_ = stop; }

  /// Ends the sending side (with TLS: close_notify first), then throws away what still arrives
  /// until the peer ends too or the deadline passes: a client in mid-upload gets to read an early
  /// response that a reset would destroy. Then close().
  virtual Task<void> shutdown_gracefully(Deadline deadline) = 0;
  /// Drops the connection at once. Idempotent. Pending awaits of another task end.
  virtual void close() = 0;
  /// The same, so that the peer cannot take it for an orderly end: TCP resets it.
  virtual void abort() = 0;

  /// The listener is stopping: wait_readable() fails from now on where nothing has arrived yet,
  /// everything else goes on. Who
  /// serves the connection finishes the exchange in hand and announces the close.
  virtual void interrupt() = 0;
  virtual bool interrupted() const = 0;

  /// "192.0.2.1:4711", "[2001:db8::1]:4711".
  virtual const std::string& remote_address() const = 0;

 protected:
  Stream() = default;

 private:
  Task<Result<void>> wait_to_write(Deadline deadline);

  bool stop_writes_at_input_ = false;
};

/// Waits until a read from `stream` would not wait. Errc::timeout. Stream::interrupt() does not end
/// it: what waits here is in the middle of an exchange.
Task<Result<void>> wait_for_input(Stream& stream, Deadline deadline);
/// Waits until a read from one of the two, which belong to the same worker, would not wait.
Task<Result<void>> wait_for_input(Stream& one, Stream& other, Deadline deadline);

}  // namespace forebay::net
