#pragma once
#include "net/socket.hpp"

#include <forebay/net/stream.hpp>
#include <forebay/net/tls.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

struct ssl_st;

namespace forebay::net {

/// A stream under TLS, either side. OpenSSL reads and writes the socket itself, never waiting.
class TlsStream final : public Stream {
 public:
  TlsStream(boost::asio::ip::tcp::socket socket, const TlsContext& context);
  ~TlsStream() override;

  /// Once, before anything else. Errc::timeout, Errc::cancelled (interrupted), Errc::protocol (no
  /// TLS, no common version, or a certificate that does not verify; logged at debug).
  Task<Result<void>> accept(Deadline deadline);
  /// The same toward a server whose certificate must be for `host`.
  Task<Result<void>> connect(const std::string& host, Deadline deadline);

  Task<Result<std::size_t>> read_some(std::span<std::byte> buffer, Deadline deadline) override;
  Task<Result<bool>> wait_readable(Deadline deadline) override;
  Input input() override;
  void wake_at_input(std::shared_ptr<runtime::Waiter> waiter) override {
    socket_.wake(read_waits_for_, std::move(waiter));
  }
  Result<std::size_t> try_write(std::span<const ConstBytes> parts) override;
  Task<Result<void>> wait_writable(Deadline deadline) override;
  Task<Result<void>> flush(Deadline deadline) override;
  Task<void> shutdown_gracefully(Deadline deadline) override;
  void close() override { socket_.close(); }
  void abort() override { socket_.abort(); }
  void interrupt() override { socket_.interrupt(); }
  bool interrupted() const override { return socket_.interrupted(); }
  const std::string& remote_address() const override { return socket_.remote_address(); }

 private:
  /// What one OpenSSL call came to.
  enum class Outcome { done, wants_read, wants_write, closed, failed };

  Outcome outcome(int result);
  Task<Result<void>> handshake(Deadline deadline);
  Result<std::size_t> write_record(ConstBytes data);
  Result<void> write_staged();

  Socket socket_;
  struct Free {
    void operator()(ssl_st* ssl) const;
  };
  std::unique_ptr<ssl_st, Free> ssl_;
  bool failed_ = false;  ///< OpenSSL allows nothing more, close_notify included.

  // At most one record that OpenSSL began to write and must be given again: so that no caller has
  // to keep its own memory while the socket blocks.
  std::vector<std::byte> staged_;
  Socket::Ready write_waits_for_ = Socket::Ready::write;
  Socket::Ready read_waits_for_ = Socket::Ready::read;
};

}  // namespace forebay::net
