#pragma once
// What the origin is told of where a request comes from. Bucket policies look at that address, so
// it is never the client's own word. Pure.
#include <forebay/http/message.hpp>
#include <forebay/net/network_set.hpp>
#include <forebay/proxy/config.hpp>

#include <string_view>

namespace forebay::proxy {

/// origin.forwarded_for and listen.trusted_proxies.
struct Forwarding {
  ForwardedFor policy = ForwardedFor::off;
  net::NetworkSet trusted;
};

/// Removes every field that speaks for a client's address, name or scheme, or would have the origin
/// take the request for another. With ForwardedFor::set X-Forwarded-For names the client by one
/// address: that of `client` ("192.0.2.1:4711", the peer of the connection), or, where that is a
/// trusted proxy, the last that it names and that is none itself. One address, because origins do
/// not agree on which of several counts.
void name_client(http::Headers& headers, std::string_view client, const Forwarding& forwarding);

}  // namespace forebay::proxy
