#include <forebay/base/glob.hpp>
#include <forebay/http/uri.hpp>
#include <forebay/origin/redirect.hpp>
#include <forebay/s3/error.hpp>

#include <algorithm>

namespace forebay::origin {
namespace {

/// Of "http://host:port/path", "//host" or a bare "host/".
std::string_view authority_of(std::string_view location) {
  if (const auto scheme = location.find("//"); scheme != std::string_view::npos)
    location.remove_prefix(scheme + 2);
  else if (location.starts_with('/'))
    return {};
  return location.substr(0, location.find_first_of("/?#"));
}

bool is_host_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == ':';
}

/// Lower case, and without the bucket; empty where it is no host.
std::string plain_host(std::string_view authority, std::string_view bucket) {
  std::string host = http::to_lower(authority);
  const std::string prefix = http::to_lower(bucket) + '.';
  if (prefix.size() > 1 && host.starts_with(prefix))
    host.erase(0, prefix.size());
  return std::all_of(host.begin(), host.end(), is_host_char) ? host : std::string{};
}

bool is_allowed(std::string_view host, std::span<const std::string> allowed) {
  return !host.empty() && std::any_of(allowed.begin(), allowed.end(), [host](const auto& pattern) {
    return glob_matches(pattern, host);
  });
}

}  // namespace

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 307 || status == 308;
}

std::optional<std::string> redirect_host(const http::ResponseHead& answer, std::string_view body,
                                         std::string_view bucket,
                                         std::span<const std::string> allowed) {
  const std::string location =
      plain_host(authority_of(answer.headers.value_or_empty("Location")), bucket);
  if (is_allowed(location, allowed))
    return location;
  const std::string endpoint =
      plain_host(s3::error_field(body, "Endpoint").value_or(std::string{}), bucket);
  if (is_allowed(endpoint, allowed))
    return endpoint;
  const std::string region =
      plain_host(answer.headers.value_or_empty("x-amz-bucket-region"), std::string_view{});
  // A place that was named and is not allowed must not be guessed again.
  if (region.empty() || !location.empty() || !endpoint.empty())
    return std::nullopt;
  for (const std::string& pattern : allowed) {
    const auto star = pattern.find('*');
    if (star != std::string::npos && pattern.find_first_of("*?", star + 1) == std::string::npos)
      return std::string{pattern}.replace(star, 1, region);
  }
  return std::nullopt;
}

std::string named_host(const http::ResponseHead& answer, std::string_view body) {
  constexpr std::size_t kNameMax = 255;
  for (const std::string& place : {std::string{answer.headers.value_or_empty("Location")},
                                   s3::error_field(body, "Endpoint").value_or(std::string{})}) {
    const std::string_view authority = authority_of(place);
    // What stands before an @ is a user and a password.
    const std::string host = plain_host(authority.substr(authority.rfind('@') + 1), {});
    if (!host.empty() && host.size() <= kNameMax)
      return host;
  }
  return "no host";
}

std::string_view named_bucket(std::string_view target) {
  const std::string_view segment = bucket_of_target(target);
  const auto end = std::find_if_not(segment.begin(), segment.end(), [](char c) {
    return is_host_char(c) || (c >= 'A' && c <= 'Z') || c == '_';
  });
  return segment.substr(0, static_cast<std::size_t>(end - segment.begin()));
}

std::string_view bucket_of_target(std::string_view target) {
  const auto path = http::split_target(target).path;
  return path.substr(
      std::min<std::size_t>(1, path.size()),
      path.find('/', 1) == std::string_view::npos ? path.size() : path.find('/', 1) - 1);
}

}  // namespace forebay::origin
