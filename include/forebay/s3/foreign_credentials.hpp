#pragma once
// Credentials that this node does not verify but that an origin may honour: those of other
// protocols that the same servers speak (Swift, security token services, other vendors'
// signatures), and S3's own in a spelling of which servers disagree. Pure.
#include <forebay/http/message.hpp>
#include <forebay/http/uri.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace forebay::s3 {

/// The name of a field or parameter of `request` that looks like such credentials, in whatever
/// case, or nullopt. `query` is its own. `is_signed`: it carries one of the authorisations of
/// sigv4.hpp; where it does not, parts of one are foreign as well.
std::optional<std::string> foreign_credentials(const http::RequestHead& request,
                                               std::span<const http::QueryParameter> query,
                                               bool is_signed);

/// Whether a field or parameter of that name is, or is part of, credentials of any kind: what a
/// request that is nobody's must not carry.
bool is_credential_field(std::string_view name);
bool is_credential_parameter(std::string_view name);

}  // namespace forebay::s3
