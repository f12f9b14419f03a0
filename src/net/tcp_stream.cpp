#include "net/tcp_stream.hpp"

#include <forebay/base/errc.hpp>

namespace forebay::net {

Task<Result<std::size_t>> TcpStream::read_some(std::span<std::byte> buffer, Deadline deadline) {
  for (;;) {
    CO_TRY(const std::size_t got, socket_.try_receive(buffer));
    if (got != 0) {
      co_await socket_.yield_when_due();
      co_return got;
    }
    CO_TRY(co_await socket_.wait(Socket::Ready::read, Socket::Interrupt::ignored, deadline));
  }
}

Task<Result<bool>> TcpStream::wait_readable(Deadline deadline) {
  const auto readable =
      co_await socket_.wait(Socket::Ready::read, Socket::Interrupt::ends_wait, deadline);
  if (!readable && readable.error() == Errc::timeout)
    co_return false;
  // What had arrived before the interruption is still read.
  if (!readable && readable.error() == Errc::cancelled && input() != Input::data)
    co_return readable.error();
  co_return true;
}

Result<std::size_t> TcpStream::try_write(std::span<const ConstBytes> parts) {
  return socket_.try_send(parts);
}

Task<Result<void>> TcpStream::wait_writable(Deadline deadline) {
  co_return co_await socket_.wait(Socket::Ready::write, Socket::Interrupt::ignored, deadline);
}

Task<Result<void>> TcpStream::flush(Deadline) {
  co_return success();
}

Task<void> TcpStream::shutdown_gracefully(Deadline deadline) {
  co_await socket_.half_close_and_drain(deadline);
}

}  // namespace forebay::net
