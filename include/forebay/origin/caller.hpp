#pragma once
// Who a request comes from, once that is proven, and how requests are signed toward the origin on
// the caller's behalf.
#include <forebay/http/message.hpp>
#include <forebay/origin/client.hpp>
#include <forebay/origin/credentials.hpp>
#include <forebay/s3/sigv4.hpp>

#include <memory>
#include <string_view>

namespace forebay::origin {

/// A verified caller and the authorisation that proved it. Immutable.
struct Caller {
  std::shared_ptr<const CallerKey> key;
  s3::Authorization authorization;
};
using CallerPtr = std::shared_ptr<const Caller>;

/// Signs `request` (method, target and fields complete, Host not yet) with the caller's origin
/// pair: by header what came by header, by query, with the caller's date and expiry, what came
/// presigned. `payload_hash` is ignored for the latter.
void sign_as(const Caller& caller, const Client& client, std::string_view payload_hash,
             http::RequestHead& request);
/// The same, always by header: for requests of the node's own making, such as fills.
void sign_by_header(const Caller& caller, const Client& client, std::string_view payload_hash,
                    http::RequestHead& request);

}  // namespace forebay::origin
