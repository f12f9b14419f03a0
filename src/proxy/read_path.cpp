// GetObject and HeadObject: the lookup, the cache, and what happens when either cannot help.
#include "proxy/cached_answer.hpp"
#include "proxy/origin_fetcher.hpp"
#include "proxy/origin_request.hpp"
#include "proxy/passed_on_read.hpp"
#include "proxy/read_metrics.hpp"
#include "proxy/read_plan.hpp"
#include "proxy/read_request.hpp"
#include "proxy/relay.hpp"

#include <forebay/base/errc.hpp>

#include <optional>
#include <utility>

namespace forebay::proxy {
namespace {

/// Ranges below this are fetched exactly as asked while their block is cold.
constexpr std::uint64_t kSmallRange = cache::kBlockSize / 2;
constexpr int kOk = 200;
constexpr int kPartialContent = 206;

/// The ordinary read: the origin is asked for this caller, then the cache answers.
Task<void> read_by_lookup(Session& session, Request& request) {
  constexpr int kLookupsMax = 2;
  Shared& shared = session.shared();
  http::RequestHead head = origin_head(request);
  for (int attempt = 0; attempt < kLookupsMax; ++attempt) {
    auto verdict = co_await shared.lookup.ask(request.caller, head);
    if (!verdict && verdict.error() != Errc::refused) {
      co_await session.answer_error(failure_of(verdict.error()));
      co_return;
    }
    if (!verdict)
      break;
    const Outcome outcome = co_await answer_from_cache(session, request, *verdict.value(),
                                                       make_fetcher(session, request), nullptr);
    if (outcome == Outcome::done)
      co_return;
    if (outcome == Outcome::refused)
      break;
  }
  co_await forward_uncached(session, request);
}

/// A small range that was read cold: its block is filled in the background once it is read again.
void touch(Session& session, const Request& request, const cache::ObjectPtr& object,
           const http::ByteRange& range) {
  Shared& shared = session.shared();
  if (!can_fill(shared) || range.length() >= kSmallRange)
    return;
  const auto first = static_cast<std::uint32_t>(range.first / cache::kBlockSize);
  const auto last = static_cast<std::uint32_t>(range.last / cache::kBlockSize);
  const cache::FetcherPtr fetcher = make_fetcher(session, request);
  for (std::uint32_t block = first; block <= last; ++block)
    shared.cache.note_cold_read(object, block, fetcher);
}

/// Sends the caller's own GET, and learns from its answer: a whole cold object becomes a fill that
/// this reader follows, all else is relayed.
/// `asking` is held until the answer's head is here.
Task<void> read_by_own_get(Session& session, Request& request,
                           std::optional<VersionMemo::Asking> asking) {
  Shared& shared = session.shared();
  http::ResponseHead answer;
  const Deadline deadline = Deadline::after(shared.client.config().first_byte_timeout);
  auto exchange =
      co_await origin::ask_as(*request.caller, shared.client, origin::SignBy::caller,
                              origin_head(request), origin::Reason::forward, deadline, answer);
  if (!exchange) {
    co_await session.answer_error(failure_of(exchange.error()));
    co_return;
  }
  cache::ObjectPtr object;
  std::optional<origin::Verdict> verdict;
  if (answer.status == kOk || answer.status == kPartialContent)
    verdict = origin::make_verdict(answer);
  if (verdict) {
    object = object_of(shared, request, *verdict);
    note_version(shared, request, object);
    note_answer(session, request, answer, *verdict);
  }
  asking.reset();
  if (object && answer.status == kOk && exchange.value()->framing().length == verdict->size &&
      plan_read(request.head, *verdict)) {
    auto source = make_source(std::move(exchange).value(), verdict->size, verdict->size);
    // The answer in hand is the verdict: it was asked for this caller, after the request came.
    const Outcome outcome = co_await answer_from_cache(
        session, request, *verdict, make_fetcher(session, request), std::move(source));
    if (outcome != Outcome::done)
      co_await forward_uncached(session, request);
    co_return;
  }
  session.record().cache = object ? "miss" : "bypass";
  (object ? ReadMetrics::get().miss : ReadMetrics::get().bypass).add();
  if (object && verdict->part)
    touch(session, request, object, *verdict->part);
  co_await relay_answer(session, *exchange.value(), std::move(answer));
  ReadMetrics::get().direct.add(session.record().bytes_out);
}

/// Whether the caller's own GET costs one round trip less than a lookup and is as good: nothing of
/// the range is here, and either nothing is known of the object (a device may still hold blocks of
/// it, from before a restart), or it is not cached at all, or the range is small. `asking`: who
/// reads a whole unknown object does it alone.
bool own_get_is_better(Session& session, const Request& request,
                       std::optional<VersionMemo::Asking>& asking) {
  Shared& shared = session.shared();
  const auto& [bucket, key, virtual_host] = request.address;
  const std::string_view selector = query_value(request, "versionId");
  const auto seen = shared.memo.find(bucket, key, selector);
  if (http::find(request.query, "partNumber") != nullptr)
    return false;
  const bool whole = !request.head.headers.contains("Range");
  const auto length = requested_length(request.head);
  const bool small = length && *length < kSmallRange;
  if (!seen) {
    if (shared.cache.knows(shared.config.origin_id, bucket, key))
      return false;
    if (whole)
      asking = shared.memo.ask_first(bucket, key, selector);
    return asking || small;
  }
  if (!seen->object)
    return true;
  if (!small)
    return false;
  const http::RangeRequest range = http::parse_range(request.head.headers);
  const auto bytes = http::resolve(range.spec, seen->object->identity().size);
  if (!bytes)
    return true;
  const cache::Coverage coverage = shared.cache.coverage(*seen->object, bytes->first, bytes->last);
  return coverage.cached + coverage.filling == 0;
}

/// While the lookup is in flight, the first bytes of the version last seen may already be on their
/// way from disk.
void speculate(Session& session, const Request& request) {
  Shared& shared = session.shared();
  const auto& [bucket, key, virtual_host] = request.address;
  const auto seen = shared.memo.find(bucket, key, query_value(request, "versionId"));
  if (!seen || !seen->object)
    return;
  const http::RangeRequest range = http::parse_range(request.head.headers);
  http::ByteRange bytes{0, seen->object->identity().size - 1};
  if (range.kind == http::RangeRequest::Kind::single) {
    const auto resolved = http::resolve(range.spec, seen->object->identity().size);
    if (!resolved)
      return;
    bytes = *resolved;
  }
  shared.cache.speculate(seen->object, bytes.first, bytes.length());
}

/// Queues the object of a successful HeadObject, where the configuration says so; the answer tells
/// what became of it.
void maybe_prestage(Session& session, const Request& request, http::ResponseHead& answer) {
  Shared& shared = session.shared();
  const CacheRule* rule = find_rule(shared.config, request.address.bucket, request.address.key);
  const PrestageTrigger trigger = shared.config.prestage.trigger;
  const bool ranged = request.head.headers.value_or_empty("Range") == "bytes=0-0";
  if ((answer.status != kOk && answer.status != kPartialContent) ||
      !may_use_cache(session, request))
    return;
  const std::optional<origin::Verdict> verdict = origin::make_verdict(answer);
  if (!verdict || carries_customer_key(answer.headers))
    return;
  const cache::ObjectPtr object = object_of(shared, request, *verdict);
  note_version(shared, request, object);
  const bool wanted =
      trigger == PrestageTrigger::any_head || (trigger == PrestageTrigger::ranged_head && ranged);
  if (!object || !wanted || (rule != nullptr && !rule->prestage) ||
      origin::is_archived(answer.headers))
    return;
  if (auto fetcher = make_own_fetcher(session, request); fetcher)
    answer.headers.set("x-forebay-prestage",
                       field_value(shared.prestager.submit(object, std::move(fetcher))));
}

}  // namespace

Task<void> read_object(Session& session, Request& request) {
  if (!may_use_cache(session, request)) {
    co_await forward_uncached(session, request);
    co_return;
  }
  std::optional<VersionMemo::Asking> asking;
  if ((request.is_passed_on() && must_pass_on(session, request)) ||
      own_get_is_better(session, request, asking)) {
    co_await read_by_own_get(session, request, std::move(asking));
    co_return;
  }
  if (request.is_passed_on()) {
    co_await read_passed_on(session, request);
    co_return;
  }
  speculate(session, request);
  co_await read_by_lookup(session, request);
}

Task<void> head_object(Session& session, Request& request) {
  if (request.has_body()) {
    co_await forward(session, request);
    co_return;
  }
  origin::Client& client = session.shared().client;
  const Deadline deadline = Deadline::after(client.config().first_byte_timeout);
  http::ResponseHead answer;
  auto exchange =
      co_await origin::ask_as(*request.caller, client, origin::SignBy::caller, origin_head(request),
                              origin::Reason::forward, deadline, answer);
  if (!exchange) {
    co_await session.answer_error(failure_of(exchange.error()));
    co_return;
  }
  maybe_prestage(session, request, answer);
  co_await relay_answer(session, *exchange.value(), std::move(answer));
}

}  // namespace forebay::proxy
