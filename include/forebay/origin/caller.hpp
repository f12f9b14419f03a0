#pragma once
// Who a request comes from, once that is proven, and how requests go to the origin on the caller's
// behalf.
#include <forebay/http/message.hpp>
#include <forebay/origin/client.hpp>
#include <forebay/origin/credentials.hpp>
#include <forebay/s3/chunk_signer.hpp>
#include <forebay/s3/sigv4.hpp>

#include <memory>
#include <optional>
#include <string_view>

namespace forebay::origin {

/// A caller and the authorisation that was sent. Immutable. `key` is never null; it is empty for
/// anonymous callers and for those whose signature is only passed on.
struct Caller {
  std::shared_ptr<const CallerKey> key;
  s3::Authorization authorization;
};
using CallerPtr = std::shared_ptr<const Caller>;

/// A caller without a key: anonymous, or one whose requests pass on as they are.
CallerPtr keyless_caller(s3::Authorization authorization);
/// A caller that signs every request by header with this pair: the node itself.
CallerPtr node_caller(const s3::Credential& credential);

/// Signs `request` (method, path-style target and fields complete, Host not yet) with the caller's
/// origin pair: by header what came by header, by query, with the caller's date and expiry, what
/// came presigned (`payload_hash` is ignored for it). What came anonymous gets a Host only, what
/// is passed on is left alone.
void sign_as(const Caller& caller, const Client& client, std::string_view payload_hash,
             http::RequestHead& request);
/// sign_as() of a request that came by header, whose body will be signed chunk by chunk.
s3::ChunkSigner sign_streaming(const Caller& caller, const Client& client,
                               std::string_view payload_hash, http::RequestHead& request);

/// Reads the body of a redirect that answered a request for `target`, and learns from it (see
/// Client::learn).
Task<bool> learn_redirect(Client& client, std::string_view target, const http::ResponseHead& answer,
                          Exchange& exchange, Deadline deadline);

/// How a request of a caller is signed.
enum class SignBy {
  caller,  ///< As the caller's own was.
  header,  ///< Always by header: requests of the node's own making, such as fills.
};

/// Signs a safe request without a body, sends it, and reads the head of the answer. Where the
/// origin redirects to a host that the configuration allows, the request goes there, and so do
/// later ones for the bucket. Errc::redirected for any other host; else as Client::get.
Task<Result<std::unique_ptr<Exchange>>> ask_as(const Caller& caller, Client& client, SignBy by,
                                               http::RequestHead request, Reason reason,
                                               Deadline deadline, http::ResponseHead& answer,
                                               std::optional<Deadline> queue = std::nullopt);

}  // namespace forebay::origin
