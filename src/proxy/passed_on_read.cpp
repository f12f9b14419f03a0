#include "proxy/passed_on_read.hpp"

#include "proxy/cached_answer.hpp"
#include "proxy/origin_request.hpp"
#include "proxy/read_metrics.hpp"
#include "proxy/read_request.hpp"
#include "proxy/relay.hpp"

#include <forebay/base/errc.hpp>
#include <forebay/http/conditional.hpp>
#include <forebay/http/header_rules.hpp>
#include <forebay/http/range.hpp>

#include <array>
#include <optional>
#include <utility>

namespace forebay::proxy {
namespace {

constexpr int kOk = 200;
constexpr int kPartialContent = 206;
constexpr int kNotModified = 304;
constexpr int kRangeNotSatisfiable = 416;

using Exchange = Result<std::unique_ptr<origin::Exchange>>;

Task<Exchange> ask(Session& session, const Request& request, http::RequestHead head,
                   http::ResponseHead& answer) {
  origin::Client& client = session.shared().client;
  co_return co_await origin::ask_as(*request.caller, client, origin::SignBy::caller,
                                    std::move(head), origin::Reason::lookup,
                                    Deadline::after(client.config().lookup_timeout), answer);
}

/// A byte or two that nobody wants, so that the connection can be used again.
Task<void> drain(origin::Exchange& exchange, Deadline deadline) {
  std::array<std::byte, 64> buffer;
  Result<std::size_t> got = co_await exchange.read_body(buffer, deadline);
  while (got && got.value() != 0)
    got = co_await exchange.read_body(buffer, deadline);
}

/// The version of the object that a probe may ask about; null where none was seen.
cache::ObjectPtr version_seen(Session& session, const Request& request) {
  const auto& [bucket, key, virtual_host] = request.address;
  const auto seen = session.shared().memo.find(bucket, key, query_value(request, "versionId"));
  return seen ? seen->object : nullptr;
}

/// Asks by the node's own key what the origin knows of the object now. It is no verdict.
Task<std::optional<origin::Verdict>> look_as_node(Session& session, const Request& request) {
  Shared& shared = session.shared();
  const auto credential = shared.node_credential();
  if (!credential)
    co_return std::nullopt;
  http::RequestHead head = origin_head(request);
  for (const char* name : {"Host", "Authorization", "Range", "If-Match", "x-amz-security-token"})
    head.headers.remove(name);
  head.method = "HEAD";
  http::Query query = request.query;
  std::erase_if(query, [](const auto& each) { return s3::is_auth_parameter(each.name); });
  head.target = s3::path_style(request.address);
  if (!query.empty())
    head.target.append("?").append(http::format_query(query));
  const origin::CallerPtr node = origin::node_caller(*credential);
  http::ResponseHead answer;
  const Deadline deadline = Deadline::after(shared.client.config().lookup_timeout);
  const Exchange exchange =
      co_await origin::ask_as(*node, shared.client, origin::SignBy::header, std::move(head),
                              origin::Reason::lookup, deadline, answer);
  if (!exchange || answer.status != kOk)
    co_return std::nullopt;
  std::optional<origin::Verdict> verdict = origin::make_verdict(answer);
  if (verdict)
    note_version(shared, request, object_of(shared, request, *verdict));
  co_return verdict;
}

/// Relays an answer to the caller's own request, and remembers what it says.
Task<void> relay_and_learn(Session& session, const Request& request, origin::Exchange& exchange,
                           http::ResponseHead answer) {
  Shared& shared = session.shared();
  cache::ObjectPtr object;
  std::optional<origin::Verdict> verdict;
  if (answer.status == kOk || answer.status == kPartialContent)
    verdict = origin::make_verdict(answer);
  if (verdict) {
    object = object_of(shared, request, *verdict);
    note_version(shared, request, object);
    note_answer(session, request, answer, *verdict);
  }
  session.record().cache = object ? "miss" : "bypass";
  ReadMetrics& metrics = ReadMetrics::get();
  (object ? metrics.miss : metrics.bypass).add();
  co_await relay_answer(session, exchange, std::move(answer));
  metrics.direct.add(session.record().bytes_out);
}

/// The caller's own request, after all.
Task<void> pass_on(Session& session, Request& request) {
  http::ResponseHead answer;
  const Exchange exchange = co_await ask(session, request, origin_head(request), answer);
  if (exchange)
    co_await relay_and_learn(session, request, *exchange.value(), std::move(answer));
  else
    co_await session.answer_error(failure_of(exchange.error()));
}

/// A whole object: one byte of it, asked for with an added Range that no signature covers, comes
/// with every field.
Task<void> read_whole(Session& session, Request& request) {
  http::RequestHead head = origin_head(request);
  head.headers.add("Range", "bytes=0-0");
  http::ResponseHead answer;
  const Exchange exchange = co_await ask(session, request, std::move(head), answer);
  if (!exchange) {
    co_await session.answer_error(failure_of(exchange.error()));
    co_return;
  }
  std::optional<origin::Verdict> verdict;
  if (answer.status == kPartialContent)
    verdict = origin::make_verdict(answer);
  if (!verdict && answer.status != kPartialContent && answer.status != kRangeNotSatisfiable) {
    co_await relay_and_learn(session, request, *exchange.value(), std::move(answer));
    co_return;
  }
  co_await drain(*exchange.value(),
                 Deadline::after(session.shared().client.config().lookup_timeout));
  if (verdict) {
    verdict->part.reset();
    const Outcome outcome = co_await answer_from_cache(session, request, *verdict,
                                                       make_fetcher(session, request), nullptr);
    if (outcome == Outcome::done)
      co_return;
  }
  co_await forward_uncached(session, request);
}

/// The verdict that the last answer to this caller gave, or null. Nothing is remembered for
/// anonymous callers.
origin::VerdictPtr noted_verdict(Session& session, const Request& request,
                                 const http::ResponseHead& not_modified) {
  if (!request.claimed || request.claimed->access_key.empty())
    return nullptr;
  return session.shared().answers.find(answer_name(request.head, request.claimed->access_key),
                                       not_modified);
}

/// What "not modified" proved: the fields of the answer, where they are known to be still these.
Task<std::optional<origin::Verdict>> verdict_of_unmodified(Session& session, const Request& request,
                                                           const cache::Object& object,
                                                           const http::ResponseHead& answer) {
  std::optional<origin::Verdict> verdict;
  if (const auto noted = noted_verdict(session, request, answer); noted)
    verdict = *noted;
  else
    verdict = co_await look_as_node(session, request);
  // A caller may be told that an object did not change and yet be refused its KMS key or its
  // archived bytes.
  if (!verdict || verdict->strong_etag != object.identity().etag ||
      origin::needs_get(verdict->headers))
    co_return std::nullopt;
  http::renew_fields(verdict->headers, answer.headers);
  co_return verdict;
}

/// A part of an object: its Range is signed and stays as it is; an added If-None-Match, which is
/// not, turns the answer into "not modified" where the version is the one that is here.
Task<void> read_by_condition(Session& session, Request& request) {
  cache::ObjectPtr object = version_seen(session, request);
  if (!object) {
    co_await look_as_node(session, request);
    object = version_seen(session, request);
  }
  if (!object) {
    co_await pass_on(session, request);
    co_return;
  }
  http::RequestHead head = origin_head(request);
  head.headers.add("If-None-Match", '"' + object->identity().etag + '"');
  http::ResponseHead answer;
  const Exchange exchange = co_await ask(session, request, std::move(head), answer);
  if (!exchange) {
    co_await session.answer_error(failure_of(exchange.error()));
    co_return;
  }
  if (answer.status != kNotModified) {
    co_await relay_and_learn(session, request, *exchange.value(), std::move(answer));
    co_return;
  }
  std::optional<origin::Verdict> verdict =
      co_await verdict_of_unmodified(session, request, *object, answer);
  if (verdict) {
    verdict->part.reset();
    const Outcome outcome = co_await answer_from_cache(session, request, *verdict,
                                                       make_fetcher(session, request), nullptr);
    if (outcome == Outcome::done)
      co_return;
  }
  co_await pass_on(session, request);
}

bool asks_for_checksum(const Request& request) {
  return request.head.headers.contains("x-amz-checksum-mode") ||
         !query_value(request, "x-amz-checksum-mode").empty();
}

}  // namespace

bool must_pass_on(Session& session, const Request& request) {
  const http::Headers& headers = request.head.headers;
  // What this node would add must not be what the caller bound the request to.
  if (!request.claimed || request.claimed->covers("if-none-match") ||
      (request.claimed->covers("range") && !headers.contains("Range")))
    return true;
  for (const char* name :
       {"If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range"}) {
    if (headers.contains(name))
      return true;
  }
  if (http::find(request.query, "partNumber") != nullptr)
    return true;
  const http::RangeRequest range = http::parse_range(headers);
  if (range.kind != http::RangeRequest::Kind::single)
    return false;
  Shared& shared = session.shared();
  if (can_fill(shared))
    return false;
  const cache::ObjectPtr object = version_seen(session, request);
  if (!object || !shared.answers.can_prove())
    return true;
  const auto bytes = http::resolve(range.spec, object->identity().size);
  if (!bytes)
    return true;
  const cache::Coverage coverage = shared.cache.coverage(*object, bytes->first, bytes->last);
  return coverage.cached != coverage.blocks;
}

void note_answer(Session& session, const Request& request, const http::ResponseHead& answer,
                 const origin::Verdict& verdict) {
  if (request.claimed && !request.claimed->access_key.empty())
    session.shared().answers.note(answer_name(request.head, request.claimed->access_key), answer,
                                  verdict);
}

Task<void> read_passed_on(Session& session, Request& request) {
  const bool whole = !request.head.headers.contains("Range");
  // A byte does not come with the checksum of the whole.
  if (whole && !asks_for_checksum(request))
    co_await read_whole(session, request);
  else
    co_await read_by_condition(session, request);
}

}  // namespace forebay::proxy
