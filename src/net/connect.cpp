#include "net/receive_buffer.hpp"
#include "net/resolver.hpp"
#include "net/tcp_stream.hpp"
#include "net/tls_stream.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/base/errc.hpp>
#include <forebay/base/log.hpp>
#include <forebay/net/connect.hpp>
#include <forebay/runtime/watchdog.hpp>
#include <forebay/runtime/worker.hpp>

#include <atomic>
#include <charconv>
#include <utility>

#include <boost/asio/ip/tcp.hpp>

namespace forebay::net {
namespace {

using boost::asio::ip::tcp;

/// Gives one connection attempt up at its deadline.
class AttemptLimit : public runtime::Watchdog::Entry {
 public:
  AttemptLimit(tcp::socket& socket, Deadline deadline) : socket_{socket} {
    runtime::Worker::current().watchdog().arm(*this, deadline);
  }
  bool passed() const { return passed_; }

 private:
  void on_deadline() override {
    passed_ = true;
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

  tcp::socket& socket_;
  bool passed_ = false;
};

Task<Result<tcp::socket>> connect_address(tcp::endpoint endpoint, Deadline deadline) {
  tcp::socket socket{runtime::Worker::current().context()};
  if (deadline.expired())
    co_return Errc::timeout;
  const AttemptLimit limit{socket, deadline};
  auto [ec] = co_await socket.async_connect(endpoint, use_task);
  if (limit.passed())
    co_return Errc::timeout;
  if (ec) {
    log::get("net").debug("cannot connect to {}: {}", endpoint.address().to_string(), ec.message());
    co_return Errc::unavailable;
  }
  co_return std::move(socket);
}

/// An even share of what is left, so that one silent address does not use it all up.
Deadline share_of(Deadline deadline, std::size_t attempts_left) {
  if (deadline.when() == TimePoint::max() || attempts_left < 2)
    return deadline;
  const auto left = deadline.when() - Clock::now();
  return deadline.capped(left / static_cast<int>(attempts_left));
}

Task<Result<tcp::socket>> connect_any(Addresses addresses, std::uint16_t port, Deadline deadline) {
  Error last = Errc::unavailable;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const tcp::endpoint endpoint{addresses[i], port};
    const Deadline share = share_of(deadline, addresses.size() - i);
    auto socket = co_await connect_address(endpoint, share);
    if (socket)
      co_return std::move(socket);
    last = socket.error();
  }
  co_return last;
}

void bound_receive_buffer(tcp::socket& socket, std::size_t size_bytes) {
  static std::atomic<bool> warned{false};
  if (!fix_receive_buffer(socket.native_handle(), size_bytes) && !warned.exchange(true))
    log::get("net").warn(
        "the kernel does not let receive buffers be bounded (Linux 5.14 does): they may grow to "
        "the third number of net.ipv4.tcp_rmem");
}

}  // namespace

Result<Endpoint> parse_host_port(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return Errc::invalid_config;
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  Endpoint endpoint;
  const auto [rest, ec] =
      std::from_chars(digits.data(), digits.data() + digits.size(), endpoint.port);
  if (ec != std::errc{} || rest != digits.data() + digits.size())
    return Errc::invalid_config;
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed)
    host = host.substr(1, host.size() - 2);
  const bool has_colon = host.find(':') != std::string_view::npos;
  if (host.empty() || has_colon != bracketed)
    return Errc::invalid_config;
  endpoint.host = std::string{host};
  return endpoint;
}

Task<Result<std::unique_ptr<Stream>>> connect(const Endpoint& endpoint, const TlsContext* tls,
                                              Deadline deadline) {
  ASSERT(!endpoint.tls || tls != nullptr);
  CO_TRY(auto addresses, co_await resolve(endpoint.host, deadline));
  auto socket = co_await connect_any(std::move(addresses), endpoint.port, deadline);
  if (!socket)
    co_return socket.error();
  if (endpoint.receive_buffer != 0)
    bound_receive_buffer(socket.value(), endpoint.receive_buffer);
  if (!endpoint.tls)
    co_return std::make_unique<TcpStream>(std::move(socket).value());
  auto stream = std::make_unique<TlsStream>(std::move(socket).value(), *tls);
  const auto shaken = co_await stream->connect(endpoint.host, deadline);
  if (!shaken)
    co_return shaken.error() == Errc::timeout ? Errc::timeout : Errc::unavailable;
  co_return std::move(stream);
}

}  // namespace forebay::net
