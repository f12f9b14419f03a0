#pragma once
// What a listener is configured with; config/ fills these from the file.
#include <forebay/base/units.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace forebay::net {

struct ListenConfig {
  std::string name = "s3";                   ///< Label `listener` of its metrics.
  std::string address = "127.0.0.1:9000";    ///< host:port, [v6]:port; port 0: any free one.
  std::string certificate_file;              ///< PEM chain, leaf first; empty: no TLS.
  std::string key_file;                      ///< PEM; needed with certificate_file.
  std::size_t max_connections = 4096;        ///< Beyond it the kernel's queue holds newcomers.
  std::size_t max_header_size = 32 * KiB;    ///< Request line and fields; beyond it 400.
  milliseconds header_timeout{10'000};       ///< First byte of a head to its last; TLS handshake.
  milliseconds idle_timeout{60'000};         ///< Between two requests of one connection.
  std::vector<std::string> trusted_proxies;  ///< Networks whose X-Forwarded-For is believed.
  std::size_t send_buffer = 128 * KiB;       ///< SO_SNDBUF (Linux doubles it); 0: kernel default.
  /// Held back for this listener's newcomers, for when the process has no file descriptor left.
  std::size_t kept_descriptors = 0;
};

}  // namespace forebay::net
