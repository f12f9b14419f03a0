#include "proxy/forwarding.hpp"

#include <forebay/http/field_names.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace forebay::proxy {
namespace {

constexpr std::string_view kForwardedFor = "X-Forwarded-For";

/// Of proxies (RFC 7239 and what was before it), and what makes frameworks see another method or
/// path than the request line's.
bool speaks_for_client(std::string_view name) {
  constexpr std::string_view kPrefix = "x-forwarded-";
  constexpr std::array<std::string_view, 12> kNames{
      "forwarded",         "x-real-ip",        "x-client-ip",
      "true-client-ip",    "cf-connecting-ip", "x-cluster-client-ip",
      "fastly-client-ip",  "x-originating-ip", "x-http-method-override",
      "x-method-override", "x-original-url",   "x-rewrite-url"};
  return http::folds_to(name.substr(0, kPrefix.size()), kPrefix) ||
         std::any_of(kNames.begin(), kNames.end(),
                     [name](std::string_view each) { return http::folds_to(name, each); });
}

/// Without its port.
std::string_view address_of(std::string_view peer) {
  const auto address = peer.substr(0, peer.rfind(':'));
  return address.starts_with('[') ? address.substr(1, address.size() - 2) : address;
}

/// The address nearest to this node that is in no trusted network. Addresses beyond it were written
/// by hosts that nobody vouches for.
std::string client_address(const http::Headers& headers, std::string_view peer,
                           const net::NetworkSet& trusted) {
  std::string chain;
  for (const auto& field : headers) {
    if (http::iequals(field.name, kForwardedFor))
      chain.append(chain.empty() ? "" : ",").append(field.value);
  }
  std::string address{address_of(peer)};
  std::string_view rest = chain;
  while (trusted.contains(address) && !rest.empty()) {
    const auto comma = rest.rfind(',');
    const auto last = comma == std::string_view::npos ? rest : rest.substr(comma + 1);
    rest = rest.substr(0, comma == std::string_view::npos ? 0 : comma);
    const auto next = net::address_in(last);
    if (!next)
      break;
    address = *next;
  }
  return address;
}

}  // namespace

void name_client(http::Headers& headers, std::string_view client, const Forwarding& forwarding) {
  std::string address;
  if (forwarding.policy == ForwardedFor::set)
    address = client_address(headers, client, forwarding.trusted);
  headers.remove_if([](const auto& field) { return speaks_for_client(field.name); });
  if (forwarding.policy == ForwardedFor::set)
    headers.add(std::string{kForwardedFor}, std::move(address));
}

}  // namespace forebay::proxy
