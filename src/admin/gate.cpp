#include "admin/gate.hpp"

#include <forebay/net/connect.hpp>

#include <boost/asio/ip/address.hpp>

namespace forebay::admin {
namespace {

constexpr int kForbidden = 403;

/// Of a Host value, without its port and the brackets of IPv6.
std::string_view host_of(std::string_view authority) {
  if (authority.starts_with('['))
    return authority.substr(1, authority.find(']') - 1);
  return authority.substr(0, authority.find(':'));
}

/// No resolver answers for these, so no page can have them as its own name.
bool is_address(std::string_view host) {
  boost::system::error_code ec;
  boost::asio::ip::make_address(host, ec);
  return !ec;
}

/// Every page but one of this port itself. Behind a proxy that ends TLS the scheme differs.
bool is_foreign_origin(std::string_view origin, std::string_view host) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (http::iequals(origin.substr(0, scheme.size()), scheme))
      return !http::iequals(origin.substr(scheme.size()), host);
  }
  return true;
}

}  // namespace

Gate::Gate(const std::string& address, std::shared_ptr<const TokenFile> token)
    : token_{std::move(token)} {
  if (const auto endpoint = net::parse_host_port(address))
    own_host_ = endpoint.value().host;
}

std::optional<Answer> Gate::refusal(const http::RequestHead& head) const {
  const std::string_view host = head.headers.value_or_empty("Host");
  if (!is_own_host(host_of(host)))
    return json_error(kForbidden,
                      "Host is neither an address, nor localhost, nor the host of listen.admin");
  for (const auto& field : head.headers) {
    if (http::iequals(field.name, "Origin") && is_foreign_origin(field.value, host))
      return json_error(kForbidden, "the request comes from another site's page (Origin)");
  }
  if (token_) {
    if (shows_token(head))
      return std::nullopt;
    return json_error(kUnauthorized,
                      "this needs the token of listen.admin_token_file: Authorization: Bearer ...");
  }
  if (loopback_)
    return std::nullopt;
  return json_error(
      kForbidden,
      "refused: listen.admin is not bound to loopback, and listen.admin_token_file is "
      "not set");
}

bool Gate::is_own_host(std::string_view host) const {
  return is_address(host) || http::iequals(host, "localhost") || http::iequals(host, own_host_);
}

bool Gate::shows_token(const http::RequestHead& head) const {
  constexpr std::string_view kScheme = "Bearer ";
  if (head.headers.count("Authorization") != 1)
    return false;
  const std::string_view value = head.headers.value_or_empty("Authorization");
  return http::iequals(value.substr(0, kScheme.size()), kScheme) &&
         token_->matches(value.substr(kScheme.size()));
}

}  // namespace forebay::admin
