#include <forebay/http/uri.hpp>
#include <forebay/s3/address.hpp>

#include <algorithm>

namespace forebay::s3 {
namespace {

constexpr std::string_view kArn = "arn:";

/// Host without its port and without a final dot, in lower case. An IPv6 address keeps its
/// brackets.
std::string host_name(std::string_view host) {
  const auto end = host.starts_with('[') ? host.find(']') : host.find(':');
  if (end != std::string_view::npos)
    host = host.substr(0, host[end] == ']' ? end + 1 : end);
  if (host.ends_with('.'))
    host.remove_suffix(1);
  return http::to_lower(host);
}

/// What stands before the longest of `domains` that `host` ends with; "" where none fits.
std::string_view virtual_bucket(std::string_view host, std::span<const std::string> domains) {
  std::string_view bucket;
  std::size_t longest = 0;
  for (const auto& domain : domains) {
    const auto suffix = "." + http::to_lower(domain);
    if (host.size() > suffix.size() && host.ends_with(suffix) && suffix.size() > longest) {
      longest = suffix.size();
      bucket = host.substr(0, host.size() - suffix.size());
    }
  }
  // A host that is itself a domain is never a bucket of a shorter one.
  const bool is_domain = std::any_of(domains.begin(), domains.end(), [host](const auto& domain) {
    return http::iequals(domain, host);
  });
  return is_domain ? std::string_view{} : bucket;
}

/// A '/' above all: one server would read "%2F" as the end of the name and another as a part of it,
/// and what was allowed for one bucket would be done to another. ':' divides tenant and bucket on
/// Ceph.
bool is_plausible_bucket(std::string_view bucket) {
  const bool is_arn = bucket.starts_with(kArn);
  return bucket != "." && bucket != ".." &&
         std::all_of(bucket.begin(), bucket.end(), [is_arn](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_' || c == '.' || c == ':' || (is_arn && c == '/');
         });
}

Outcome<std::string> decode(std::string_view text) {
  auto decoded = http::percent_decode(text);
  if (!decoded)
    return Failure{ErrorCode::invalid_uri};
  return std::move(decoded).value();
}

}  // namespace

Outcome<Address> parse_address(const http::RequestHead& request,
                               std::span<const std::string> domains) {
  const auto host = host_name(request.headers.value_or_empty("host"));
  Address address;
  address.bucket = virtual_bucket(host, domains);
  address.virtual_host = !address.bucket.empty();
  auto path = http::split_target(request.target).path;
  if (path == "*" && request.method == "OPTIONS")
    return address;
  if (!path.starts_with('/'))
    return Failure{ErrorCode::invalid_uri};
  path.remove_prefix(1);
  if (!address.virtual_host) {
    const auto slash = path.find('/');
    TRY(address.bucket, decode(path.substr(0, slash)));
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  }
  TRY(address.key, decode(path));
  if (!is_plausible_bucket(address.bucket) || (address.bucket.empty() && !address.key.empty()))
    return Failure{ErrorCode::invalid_bucket_name,
                   std::string{info(ErrorCode::invalid_bucket_name).message},
                   {{"BucketName", address.bucket}}};
  return address;
}

bool is_certain_host(std::string_view host_field, std::span<const std::string> domains) {
  const auto host = host_field.substr(0, host_field.find(':'));
  const bool is_address = host.find_first_not_of("0123456789.") == std::string_view::npos;
  if (host_field.starts_with('[') || is_address || host.find('.') == std::string_view::npos)
    return true;
  return std::any_of(domains.begin(), domains.end(), [host](const std::string& domain) {
    return host == domain ||
           (host.size() > domain.size() && host.ends_with(domain) &&
            host[host.size() - domain.size() - 1] == '.' && host == http::to_lower(host));
  });
}

bool is_indirect(std::string_view bucket) {
  return bucket.starts_with(kArn) || bucket.ends_with("-s3alias") || bucket.ends_with("--ol-s3") ||
         bucket.find(".s3-accesspoint") != std::string_view::npos ||
         bucket.find(".s3-object-lambda") != std::string_view::npos ||
         bucket.find(".s3-outposts") != std::string_view::npos;
}

std::string path_style(const Address& address) {
  std::string path = "/" + http::percent_encode(address.bucket);
  if (address.is_object())
    path += "/" + http::percent_encode(address.key, http::Slash::keep);
  return path;
}

}  // namespace forebay::s3
