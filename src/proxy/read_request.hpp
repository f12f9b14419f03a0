#pragma once
// What a read is about: whether the cache may answer it, which object it is for, and who fetches
// that object's bytes.
#include "proxy/origin_fetcher.hpp"
#include "proxy/session.hpp"

#include <forebay/cache/block_cache.hpp>
#include <forebay/origin/object_lookup.hpp>

#include <memory>
#include <string_view>

namespace forebay::proxy {

/// The first value of a parameter, or "".
std::string_view query_value(const Request& request, std::string_view name);

/// SSE-C: the caller brings the key.
bool carries_customer_key(const http::Headers& headers);

/// Requests whose answer the cache may give at all, as far as the request itself shows. CORS
/// answers vary with Origin; what a Range of several parts, or a malformed one, gets is the
/// origin's to say (S3 ignores the latter, Ceph answers 416).
bool may_use_cache(Session& session, const Request& request);

/// The object of a verdict, or null where it is not to be cached: no strong ETag, or too small.
cache::ObjectPtr object_of(const Shared& shared, const Request& request,
                           const origin::Verdict& verdict);

/// Notes the version seen. Where it is the current one and another was, what is cached of that is
/// of no more use.
void note_version(Shared& shared, const Request& request, const cache::ObjectPtr& object);

/// Whether fills of a request's object can be asked for in the node's own time: with the caller's
/// key, or with the node's own where callers' requests are passed on.
bool can_fill(const Shared& shared);

/// Asks for bytes of the request's object.
cache::FetcherPtr make_fetcher(Session& session, const Request& request);
/// The same, in the node's own time: null where it cannot (see can_fill).
std::shared_ptr<OriginFetcher> make_own_fetcher(Session& session, const Request& request);

}  // namespace forebay::proxy
