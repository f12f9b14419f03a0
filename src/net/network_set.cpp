#include <forebay/base/assert.hpp>
#include <forebay/net/network_set.hpp>

#include <algorithm>
#include <optional>
#include <variant>

#include <boost/asio/ip/address.hpp>

namespace forebay::net {
namespace {

namespace ip = boost::asio::ip;
using Network = std::variant<ip::network_v4, ip::network_v6>;

constexpr unsigned short kBitsV4 = 32;
constexpr unsigned short kBitsV6 = 128;

std::optional<ip::address> parse_address(std::string_view text) {
  boost::system::error_code ec;
  const ip::address address = ip::make_address(std::string{text}, ec);
  if (ec)
    return std::nullopt;
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return ip::make_address_v4(ip::v4_mapped, address.to_v6());
  return address;
}

std::optional<Network> parse_network(std::string_view text) {
  if (text.find('/') == std::string_view::npos) {
    const auto address = parse_address(text);
    if (!address)
      return std::nullopt;
    if (address->is_v4())
      return ip::network_v4{address->to_v4(), kBitsV4};
    return ip::network_v6{address->to_v6(), kBitsV6};
  }
  boost::system::error_code ec;
  const auto v4 = ip::make_network_v4(std::string{text}, ec);
  if (!ec)
    return v4.canonical();
  const auto v6 = ip::make_network_v6(std::string{text}, ec);
  if (!ec)
    return v6.canonical();
  return std::nullopt;
}

template <class Net, class Address>
bool holds(const Net& network, const Address& address) {
  return Net{address, network.prefix_length()}.canonical() == network;
}

}  // namespace

std::optional<std::string> address_in(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  const auto first = std::min(text.find_first_not_of(kBlanks), text.size());
  text = text.substr(first, text.find_last_not_of(kBlanks) + 1 - first);
  if (text.starts_with('['))
    text = text.substr(1, text.find(']') - 1);
  else if (std::count(text.begin(), text.end(), ':') == 1)
    text = text.substr(0, text.find(':'));
  const auto address = parse_address(text);
  return address ? std::optional{address->to_string()} : std::nullopt;
}

bool is_network(std::string_view text) {
  return parse_network(text).has_value();
}

NetworkSet::NetworkSet(std::span<const std::string> networks) {
  for (const std::string& text : networks) {
    const auto network = parse_network(text);
    ASSERT(network);
    if (const auto* const v4 = std::get_if<ip::network_v4>(&*network))
      v4_.push_back(*v4);
    else
      v6_.push_back(std::get<ip::network_v6>(*network));
  }
}

bool NetworkSet::contains(std::string_view text) const {
  const auto address = parse_address(text);
  if (!address)
    return false;
  if (address->is_v4())
    return std::any_of(v4_.begin(), v4_.end(),
                       [&](const auto& network) { return holds(network, address->to_v4()); });
  return std::any_of(v6_.begin(), v6_.end(),
                     [&](const auto& network) { return holds(network, address->to_v6()); });
}

}  // namespace forebay::net
