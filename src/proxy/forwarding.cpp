#include "proxy/forwarding.hpp"

#include <algorithm>
#include <array>
#include <string>

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
  return http::iequals(name.substr(0, kPrefix.size()), kPrefix) ||
         std::any_of(kNames.begin(), kNames.end(),
                     [name](std::string_view each) { return http::iequals(each, name); });
}

/// Without its port.
std::string_view address_of(std::string_view peer) {
  const auto address = peer.substr(0, peer.rfind(':'));
  return address.starts_with('[') ? address.substr(1, address.size() - 2) : address;
}

}  // namespace

void name_client(http::Headers& headers, std::string_view client, const Forwarding& forwarding) {
  const std::string_view address = address_of(client);
  std::string chain;
  if (forwarding.policy == ForwardedFor::set && forwarding.trusted.contains(address)) {
    for (const auto& field : headers) {
      if (http::iequals(field.name, kForwardedFor))
        chain.append(field.value).append(", ");
    }
  }
  headers.remove_if([](const auto& field) { return speaks_for_client(field.name); });
  if (forwarding.policy == ForwardedFor::set)
    headers.add(std::string{kForwardedFor}, chain.append(address));
}

}  // namespace forebay::proxy
