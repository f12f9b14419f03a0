#pragma once
// Which bucket and key a request is for. Pure.
#include <forebay/http/message.hpp>
#include <forebay/s3/error.hpp>

#include <span>
#include <string>

namespace forebay::s3 {

/// UTF-8 bytes; S3's limit on keys. What a longer one gets is the origin's to say.
inline constexpr std::size_t kMaxKeyBytes = 1024;

/// Decoded exactly once and never normalised: "//", "." and ".." are parts of keys like any other.
struct Address {
  std::string bucket;         ///< "" for the service itself ("/").
  std::string key;            ///< "" for the bucket.
  bool virtual_host = false;  ///< The bucket came from the Host field.

  bool is_object() const { return !key.empty(); }
  friend bool operator==(const Address&, const Address&) = default;
};

/// Reads Host and target. A Host (without port, without case) of "<bucket>.<domain>" for one of
/// `domains`, the longest that fits, is virtual-host style; any other Host, a domain itself
/// included, is path-style. "OPTIONS *" is the service.
/// Fails with invalid_uri (bad percent-encoding, not origin-form) and
/// invalid_bucket_name for a name no S3 service has: letters, digits and "-_.:" are all there is,
/// in ARNs "/" as well, and "." and ".." are none; further naming rules are the origin's.
Outcome<Address> parse_address(const http::RequestHead& request,
                               std::span<const std::string> domains);

/// Whether every server finds the same bucket in a request with this Host field, whatever it has
/// been told of its own names: an address, a name without dots, one of `domains` or a name below
/// one, spelled exactly so. Others may be "<bucket>.<name of the origin>" to one and not to
/// another.
bool is_certain_host(std::string_view host_field, std::span<const std::string> domains);

/// Whether the name is not a bucket's but leads to one, or to code before one: an ARN, the alias or
/// host name of an access point or of an Object Lambda. What it answers need not be the object.
bool is_indirect(std::string_view bucket);

/// The path-style path of `address`, strictly encoded: "/bucket/key".
std::string path_style(const Address& address);

}  // namespace forebay::s3
