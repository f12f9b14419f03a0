#pragma once
// What the origin room is configured with; config/ fills these from the file.
#include <forebay/base/units.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace forebay::origin {

struct OriginConfig {
  std::string endpoint =
      "http://127.0.0.1:7480";              ///< http:// or https://, host, optional port; no path.
  std::string region = "us-east-1";         ///< Signed into every request toward the origin.
  std::vector<std::string> redirect_hosts;  ///< Globs of hosts that a redirect may name.
  std::string ca_file;                      ///< PEM; empty: the system's.
  std::size_t max_connections = 512;        ///< Of this node, all workers together.
  std::size_t max_uploads = 0;              ///< Of them, for requests with a body; 0: half.
  std::size_t receive_buffer = 2 * MiB;     ///< Of each connection's socket.
  milliseconds wait{2'000};                 ///< For one of max_connections to become free.
  milliseconds connect_timeout{5'000};      ///< DNS, TCP and TLS.
  milliseconds lookup_timeout{10'000};      ///< A whole lookup.
  milliseconds first_byte_timeout{
      30'000};                            ///< The head of the response to a request without a body.
  milliseconds progress_timeout{30'000};  ///< Between two bytes of a body, either way.
  milliseconds write_response_timeout{
      900'000};                       ///< The head of the response to a write whose body was sent.
  milliseconds idle_timeout{20'000};  ///< Pooled connections older than this are closed.
};

}  // namespace forebay::origin
