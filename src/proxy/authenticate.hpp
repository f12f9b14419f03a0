#pragma once
// auth.mode: verify. Proves who sent a request, and whether that caller may touch the bucket
// through this node.
#include <forebay/http/message.hpp>
#include <forebay/origin/caller.hpp>
#include <forebay/origin/credentials.hpp>
#include <forebay/proxy/config.hpp>
#include <forebay/s3/address.hpp>
#include <forebay/s3/error.hpp>
#include <forebay/s3/operation.hpp>

#include <chrono>
#include <span>

namespace forebay::proxy {

/// What authenticate() needs to know beside the request.
struct AuthContext {
  const origin::CredentialStore& credentials;
  AnonymousPolicy anonymous;
  std::chrono::sys_seconds now;  ///< The wall clock.
  std::chrono::seconds max_skew;
};

/// The caller's pair; invalid_access_key_id where there is none.
s3::Outcome<std::shared_ptr<const origin::CallerKey>> find_key(
    const origin::CredentialStore& credentials, const std::string& access_key);

/// Every failure is the error AWS gives, but for credentials that no rule of S3's speaks of
/// (foreign_credentials.hpp): invalid_argument. Address and query are the request's own.
s3::Outcome<origin::CallerPtr> authenticate(const AuthContext& context,
                                            const http::RequestHead& request,
                                            const s3::Address& address,
                                            std::span<const http::QueryParameter> query);

/// access_denied where the caller's allow-list does not hold the bucket for this operation, or the
/// bucket that a copy reads from.
s3::Outcome<void> authorize(const origin::Caller& caller, const s3::Address& address,
                            s3::Operation operation, const http::Headers& headers,
                            std::span<const http::QueryParameter> query);

}  // namespace forebay::proxy
