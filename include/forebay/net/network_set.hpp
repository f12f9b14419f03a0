#pragma once
// Networks by prefix (RFC 4632), and whether an address is in one. Pure.
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

namespace forebay::net {

/// The address that `text` is, blanks around it, a port or brackets aside; nullopt where it is
/// none.
std::optional<std::string> address_in(std::string_view text);

/// Whether `text` is "10.0.0.0/8", "2001:db8::/32", or a single address.
bool is_network(std::string_view text);

/// Immutable; any thread.
class NetworkSet {
 public:
  NetworkSet() = default;
  /// Each must be a network (is_network).
  explicit NetworkSet(std::span<const std::string> networks);

  /// `address` is without a port; an IPv4 address mapped into IPv6 counts as itself. False for what
  /// is no address.
  bool contains(std::string_view address) const;

 private:
  std::vector<boost::asio::ip::network_v4> v4_;
  std::vector<boost::asio::ip::network_v6> v6_;
};

}  // namespace forebay::net
