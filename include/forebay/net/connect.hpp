#pragma once
// Connections going out.
#include <forebay/net/stream.hpp>
#include <forebay/net/tls.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace forebay::net {

struct Endpoint {
  std::string host;  ///< A name, an IPv4 address, or an IPv6 address without brackets.
  std::uint16_t port = 0;
  bool tls = false;
  std::size_t receive_buffer = 0;  ///< Of its sockets, fixed; 0: the kernel's choice.
};

/// "host:port", "192.0.2.1:80", "[2001:db8::1]:80". Errc::invalid_config otherwise.
Result<Endpoint> parse_host_port(std::string_view text);

/// Resolves the host (kept a few seconds a worker), tries its addresses in turn, and with
/// `endpoint.tls` shakes hands under `tls`, which must then not be null. The deadline covers all
/// of it and is divided among the addresses left. Errc::unavailable (logged at debug: no address,
/// refused, or a certificate that does not verify), Errc::timeout. Worker threads only.
Task<Result<std::unique_ptr<Stream>>> connect(const Endpoint& endpoint, const TlsContext* tls,
                                              Deadline deadline);

}  // namespace forebay::net
