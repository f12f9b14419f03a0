#include "proxy/read_request.hpp"

#include "proxy/origin_request.hpp"
#include "proxy/passed_on_fetcher.hpp"

#include <forebay/http/range.hpp>
#include <forebay/s3/query_rules.hpp>

#include <utility>

namespace forebay::proxy {

std::string_view query_value(const Request& request, std::string_view name) {
  const http::QueryParameter* parameter = http::find(request.query, name);
  return parameter == nullptr ? std::string_view{} : parameter->value;
}

bool carries_customer_key(const http::Headers& headers) {
  return headers.contains("x-amz-server-side-encryption-customer-algorithm") ||
         headers.contains("x-amz-server-side-encryption-customer-key");
}

bool may_use_cache(Session& session, const Request& request) {
  const CacheRule* rule =
      find_rule(session.shared().config, request.address.bucket, request.address.key);
  // By its own Host, which may be a bucket's to the origin.
  if (request.is_passed_on() && !s3::is_certain_host(request.head.headers.value_or_empty("Host"),
                                                     session.shared().config.domains))
    return false;
  return (rule == nullptr || rule->cache) && !s3::is_indirect(request.address.bucket) &&
         request.address.key.size() <= s3::kMaxKeyBytes &&
         s3::is_plain_object_query(request.query) && !s3::has_repeated_parameter(request.query) &&
         !request.has_body() && !carries_customer_key(request.head.headers) &&
         !request.head.headers.contains("Origin") &&
         (!request.head.headers.contains("Range") ||
          http::parse_range(request.head.headers).kind == http::RangeRequest::Kind::single);
}

cache::ObjectPtr object_of(const Shared& shared, const Request& request,
                           const origin::Verdict& verdict) {
  // Far beyond any object there is, and within what block numbers can count.
  constexpr std::uint64_t kSizeMax = std::uint64_t{1} << 48U;
  if (verdict.strong_etag.empty() || verdict.size == 0 || verdict.size > kSizeMax ||
      verdict.size < shared.config.min_object_size)
    return nullptr;
  cache::Identity identity;
  identity.origin = shared.config.origin_id;
  identity.bucket = request.address.bucket;
  identity.key = request.address.key;
  identity.etag = verdict.strong_etag;
  identity.size = verdict.size;
  identity.version_id = verdict.version_id;
  return std::make_shared<const cache::Object>(std::move(identity));
}

void note_version(Shared& shared, const Request& request, const cache::ObjectPtr& object) {
  const std::string_view selector = query_value(request, "versionId");
  const auto& [bucket, key, virtual_host] = request.address;
  const auto before = shared.memo.find(bucket, key, selector);
  const bool same =
      before && before->object && object && before->object->identity() == object->identity();
  if (same)
    return;
  shared.memo.note(bucket, key, selector, object);
  if (object && selector.empty())
    shared.cache.drop_superseded(*object);
}

bool can_fill(const Shared& shared) {
  return shared.config.auth_mode == AuthMode::verify || shared.node_credential();
}

std::shared_ptr<OriginFetcher> make_own_fetcher(Session& session, const Request& request) {
  Shared& shared = session.shared();
  // A fill asks for the bytes, not for a part or for fields in the answer.
  std::string target = s3::path_style(request.address);
  if (const std::string_view version = query_value(request, "versionId"); !version.empty())
    target.append("?versionId=").append(http::percent_encode(version));
  origin::CallerPtr caller = request.caller;
  if (request.is_passed_on()) {
    const auto credential = shared.node_credential();
    if (!credential)
      return nullptr;
    caller = origin::node_caller(*credential);
  }
  return std::make_shared<OriginFetcher>(shared.client, std::move(caller),
                                         fill_request(request.head, std::move(target)));
}

cache::FetcherPtr make_fetcher(Session& session, const Request& request) {
  cache::FetcherPtr own = make_own_fetcher(session, request);
  if (!request.is_passed_on())
    return own;
  return std::make_shared<PassedOnFetcher>(session.shared().client, request.caller,
                                           origin_head(request), std::move(own));
}

}  // namespace forebay::proxy
