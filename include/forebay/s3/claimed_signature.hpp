#pragma once
// What a request says of its signature where only the origin can verify it. Pure.
#include <forebay/http/message.hpp>
#include <forebay/http/uri.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace forebay::s3 {

/// It proves nothing.
struct ClaimedSignature {
  std::string access_key;                   ///< "" where the request carries no credentials.
  std::vector<std::string> signed_headers;  ///< Lower case: fields that must not be added.

  bool covers(std::string_view lower_name) const;
};

/// nullopt where servers may read different claims in the request: two authorisations at once, one
/// misspelled, malformed or of another protocol, a parameter twice of which one counts. `query` is
/// the request's own.
std::optional<ClaimedSignature> claimed_signature(const http::RequestHead& request,
                                                  std::span<const http::QueryParameter> query);

}  // namespace forebay::s3
