#include "config/checks.hpp"

#include "config/reader.hpp"

#include <forebay/net/connect.hpp>
#include <forebay/net/network_set.hpp>

#include <algorithm>
#include <set>
#include <string_view>
#include <vector>

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

void check_networks(const Config& config, const Places& places, std::vector<std::string>& errors) {
  for (const std::string& text : config.s3.trusted_proxies) {
    if (!net::is_network(text))
      errors.push_back(error_line(place_of(places, {"listen.trusted_proxies"}),
                                  "listen.trusted_proxies", "\"" + text + "\" is no network",
                                  "addresses with a prefix length, such as 10.0.0.0/8"));
  }
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

/// Which keys of origin.fill_credentials belong to which source.
struct SourceKeys {
  origin::CredentialSource source;
  std::string_view name;
  std::vector<std::string_view> required;
  std::vector<std::string_view> optional;
};

const std::vector<SourceKeys>& keys_by_source() {
  using enum origin::CredentialSource;
  static const std::vector<SourceKeys> all{
      {fixed, "static", {"access_key", "secret_key"}, {"session_token"}},
      {file, "file", {"file"}, {"profile"}},
      {web_identity,
       "web_identity",
       {},
       {"role_arn", "token_file", "session_name", "sts_endpoint", "ca_file"}},
      {container, "container", {}, {"ca_file"}},
      {instance_metadata, "instance_metadata", {}, {"metadata_endpoint"}},
  };
  return all;
}

bool contains(const std::vector<std::string_view>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

/// The sources that a key means something to.
std::vector<std::string_view> sources_of(std::string_view key) {
  std::vector<std::string_view> sources;
  for (const SourceKeys& source : keys_by_source()) {
    if (contains(source.required, key) || contains(source.optional, key))
      sources.push_back(source.name);
  }
  return sources;
}

void check_fill_credentials(const Config& config, const Places& places,
                            std::vector<std::string>& errors) {
  const std::string prefix = "origin.fill_credentials.";
  const std::string source_key = prefix + "source";
  const auto chosen =
      std::ranges::find(keys_by_source(), config.fill_credentials.source, &SourceKeys::source);
  static const Config defaults;
  const std::string_view chosen_name =
      chosen == keys_by_source().end() ? std::string_view{} : chosen->name;
  for (const Key& key : schema()) {
    if (!key.name.starts_with(prefix) || key.name == source_key)
      continue;
    const std::string name{key.name};
    const std::string_view last = key.name.substr(prefix.size());
    const auto sources = sources_of(last);
    // A key that stands there with its default says nothing; all of them are texts.
    const bool given = text_of(key.access.get(config)) != text_of(key.access.get(defaults));
    if (given && !contains(sources, chosen_name))
      errors.push_back(error_line(place_of(places, {name, "origin"}), name,
                                  "given, while the source is another",
                                  fmt::format("source: {}", fmt::join(sources, ", "))));
    if (!given && chosen != keys_by_source().end() && contains(chosen->required, last))
      errors.push_back(
          error_line(place_of(places, {name, source_key, "origin.fill_credentials", "origin"}),
                     name, fmt::format("missing, while source is {}", chosen_name), allowed(key)));
  }
  if (config.fill_credentials.source != origin::CredentialSource::none &&
      config.proxy.auth_mode != proxy::AuthMode::passthrough)
    errors.push_back(error_line(place_of(places, {source_key, "origin"}), source_key,
                                "given, while auth.mode is verify: fills are signed as the caller",
                                "none, or auth.mode: passthrough"));
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
  check_networks(config, places, errors);
  check_tls(config, places, errors);
  check_auth(config, places, errors);
  check_fill_credentials(config, places, errors);
  check_devices(config, places, errors);
  return errors;
}

}  // namespace forebay::config
