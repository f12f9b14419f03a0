#pragma once
#include "net/socket.hpp"

#include <forebay/net/stream.hpp>

#include <memory>
#include <string>
#include <utility>

namespace forebay::net {

/// A stream without TLS.
class TcpStream final : public Stream {
 public:
  explicit TcpStream(boost::asio::ip::tcp::socket socket) : socket_{std::move(socket)} {}

  Task<Result<std::size_t>> read_some(std::span<std::byte> buffer, Deadline deadline) override;
  Task<Result<bool>> wait_readable(Deadline deadline) override;
  Input input() override { return socket_.input(); }
  void wake_at_input(std::shared_ptr<runtime::Waiter> waiter) override {
    socket_.wake(Socket::Ready::read, std::move(waiter));
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
  Socket socket_;
};

}  // namespace forebay::net
