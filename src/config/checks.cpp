#include "config/checks.hpp"

#include "config/reader.hpp"

#include <forebay/net/connect.hpp>

#include <set>
#include <string_view>

#include <fmt/format.h>

namespace forebay::config {
namespace {

using Places = std::map<std::string, std::string>;

/// Where the first of these names was given; else where its section or the document begins.
std::string place_of(const Places& places, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    const auto found = places.find(std::string{name});
    if (found != places.end())
      return found->second;
  }
  const auto document = places.find("");
  return document == places.end() ? "configuration" : document->second;
}

bool is_wildcard(const std::string& host) {
  return host == "0.0.0.0" || host == "::";
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host.starts_with("127.") || host == "::1";
}

/// Whether sockets bound to the two would collide.
bool same_address(const net::Endpoint& a, const net::Endpoint& b) {
  return a.port == b.port && a.port != 0 &&
         (a.host == b.host || is_wildcard(a.host) || is_wildcard(b.host));
}

/// Whether a connection to `target` surely reaches a socket bound to `bound`.
bool reaches(const net::Endpoint& target, const net::Endpoint& bound) {
  return target.port == bound.port &&
         (target.host == bound.host || (is_wildcard(bound.host) && is_loopback(target.host)));
}

net::Endpoint origin_address(const std::string& url) {
  const bool tls = url.starts_with("https://");
  std::string authority = url.substr(url.find("//") + 2);
  if (authority.ends_with(']') || authority.rfind(':') == std::string::npos)
    authority += tls ? ":443" : ":80";
  const auto parsed = net::parse_host_port(authority);
  return parsed ? parsed.value() : net::Endpoint{};
}

void check_addresses(const Config& config, const Places& places, std::vector<std::string>& errors) {
  const auto s3 = net::parse_host_port(config.s3.address);
  const auto admin = net::parse_host_port(config.admin.address);
  if (!s3 || !admin)
    return;  // Reported by the key itself.
  if (same_address(s3.value(), admin.value()))
    errors.push_back(error_line(place_of(places, {"listen.admin", "listen.s3"}), "listen.admin",
                                "is the address of listen.s3", "another port"));
  if (reaches(origin_address(config.origin.endpoint), s3.value()))
    errors.push_back(error_line(place_of(places, {"origin.endpoint", "listen.s3"}),
                                "origin.endpoint", "is the address of listen.s3",
                                "the object store, not this node"));
}

void check_tls(const Config& config, const Places& places, std::vector<std::string>& errors) {
  if (config.s3.certificate_file.empty() == config.s3.key_file.empty())
    return;
  const bool key_missing = config.s3.key_file.empty();
  errors.push_back(
      error_line(place_of(places, {"listen.tls_certificate", "listen.tls_private_key"}),
                 key_missing ? "listen.tls_private_key" : "listen.tls_certificate",
                 fmt::format("missing, while {} is given",
                             key_missing ? "listen.tls_certificate" : "listen.tls_private_key"),
                 "both or neither"));
}

void check_auth(const Config& config, const Places& places, std::vector<std::string>& errors) {
  // Without a place for the document itself it could not be read, which has been said.
  if (config.proxy.auth_mode == proxy::AuthMode::verify && config.auth.credentials_file.empty() &&
      places.contains(""))
    errors.push_back(error_line(place_of(places, {"auth.credentials_file", "auth.mode", "auth"}),
                                "auth.credentials_file", "missing, while auth.mode is verify",
                                "the file of the callers' keys, or auth.mode: passthrough"));
}

void check_devices(const Config& config, const Places& places, std::vector<std::string>& errors) {
  std::set<std::string> seen;
  for (std::size_t i = 0; i < config.cache.disk.devices.size(); ++i) {
    const std::string name = fmt::format("cache.devices[{}].path", i);
    const std::string& path = config.cache.disk.devices[i].path;
    if (!path.empty() && !seen.insert(path).second)
      errors.push_back(error_line(place_of(places, {name}), name,
                                  fmt::format("\"{}\" is given twice", path), "each device once"));
  }
}

}  // namespace

std::vector<std::string> check(const Config& config, const Places& places) {
  std::vector<std::string> errors;
  check_addresses(config, places, errors);
  check_tls(config, places, errors);
  check_auth(config, places, errors);
  check_devices(config, places, errors);
  return errors;
}

}  // namespace forebay::config
