#pragma once
// auth.mode: verify. Proves who sent a request, and whether that caller may touch the bucket
// through this node.
#include <forebay/http/message.hpp>
#include <forebay/origin/caller.hpp>
#include <forebay/s3/address.hpp>
#include <forebay/s3/error.hpp>
#include <forebay/s3/operation.hpp>

#include <chrono>
#include <span>

namespace forebay::proxy {

/// `now` is the wall clock. Every failure is the error AWS gives.
s3::Outcome<origin::CallerPtr> authenticate(const origin::CredentialStore& credentials,
                                            const http::RequestHead& request,
                                            std::chrono::sys_seconds now,
                                            std::chrono::seconds max_skew);

/// access_denied where the caller's allow-list does not hold the bucket for this operation, or the
/// bucket that a copy reads from.
s3::Outcome<void> authorize(const origin::Caller& caller, const s3::Address& address,
                            s3::Operation operation, const http::Headers& headers,
                            std::span<const http::QueryParameter> query);

/// not_implemented for streaming payloads, invalid_argument for a value that is none.
s3::Outcome<s3::PayloadMode> check_payload(const origin::Caller& caller);

}  // namespace forebay::proxy
