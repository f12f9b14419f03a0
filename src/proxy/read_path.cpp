// GetObject and HeadObject: the lookup, the cache, and what happens when either cannot help.
#include "proxy/origin_fetcher.hpp"
#include "proxy/origin_request.hpp"
#include "proxy/read_plan.hpp"
#include "proxy/relay.hpp"

#include <forebay/base/errc.hpp>
#include <forebay/base/metrics.hpp>
#include <forebay/http/conditional.hpp>

#include <optional>
#include <utility>
#include <vector>

namespace forebay::proxy {
namespace {

/// Ranges below this are fetched exactly as asked while their block is cold.
constexpr std::uint64_t kSmallRange = cache::kBlockSize / 2;
constexpr int kOk = 200;
constexpr int kPartialContent = 206;

struct ReadMetrics {
  static metrics::Counter& bytes(const char* source) {
    return metrics::Registry::instance().counter(
        "forebay_read_bytes_total", "Object bytes sent to clients, by where they came from.",
        {{"source", source}});
  }
  static metrics::Counter& reads(const char* status) {
    return metrics::Registry::instance().counter("forebay_cache_requests_total",
                                                 "GetObject requests, by cache status.",
                                                 {{"status", status}});
  }

  metrics::Counter& cached = bytes("cache");
  metrics::Counter& filled = bytes("fill");
  metrics::Counter& direct = bytes("direct");
  metrics::Counter& hit = reads("hit");
  metrics::Counter& miss = reads("miss");
  metrics::Counter& partial = reads("partial");
  metrics::Counter& bypass = reads("bypass");

  static ReadMetrics& get() {
    static ReadMetrics instance;
    return instance;
  }
};

std::string_view query_value(const Request& request, std::string_view name) {
  const http::QueryParameter* parameter = http::find(request.query, name);
  return parameter == nullptr ? std::string_view{} : parameter->value;
}

bool carries_customer_key(const http::Headers& headers) {
  return headers.contains("x-amz-server-side-encryption-customer-algorithm") ||
         headers.contains("x-amz-server-side-encryption-customer-key");
}

/// Requests whose answer the cache may give at all, as far as the request itself shows. CORS
/// answers vary with Origin; what a Range of several parts, or a malformed one, gets is the
/// origin's to say (S3 ignores the latter, Ceph answers 416).
bool may_use_cache(Session& session, const Request& request) {
  const CacheRule* rule =
      find_rule(session.shared().config, request.address.bucket, request.address.key);
  return (rule == nullptr || rule->cache) && s3::is_plain_object_query(request.query) &&
         !request.has_body() && !carries_customer_key(request.head.headers) &&
         !request.head.headers.contains("Origin") &&
         (!request.head.headers.contains("Range") ||
          http::parse_range(request.head.headers).kind == http::RangeRequest::Kind::single);
}

/// The object of a verdict, or null where it is not to be cached: no strong ETag, or too small.
cache::ObjectPtr object_of(const Shared& shared, const Request& request,
                           const origin::Verdict& verdict) {
  if (verdict.strong_etag.empty() || verdict.size == 0 ||
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

/// Notes the version seen. Where it is the current one and another was, what is cached of that is
/// of no more use.
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

cache::FetcherPtr make_fetcher(Session& session, const Request& request) {
  // A fill asks for the bytes, not for a part or for fields in the answer.
  std::string target = s3::path_style(request.address);
  if (const std::string_view version = query_value(request, "versionId"); !version.empty())
    target.append("?versionId=").append(http::percent_encode(version));
  return std::make_shared<OriginFetcher>(session.shared().client, request.caller,
                                         fill_request(request.head, std::move(target)));
}

/// How a read from the cache ended.
enum class Outcome {
  done,     ///< Answered, or cut.
  changed,  ///< Another version is current, and nothing has been sent: ask again.
  refused,  ///< The origin will not give the bytes, and nothing has been sent: let it say so
            ///< itself.
};

/// One answer in the making: what has been promised, and how far it has come.
struct Sending {
  cache::ObjectPtr object;
  cache::FetcherPtr fetcher;
  ReadPlan plan;
  std::unique_ptr<cache::ByteSource>
      source;  ///< An open body of the whole object, if there is one.
  std::optional<net::MessageWriter> writer;

  bool started() const { return writer && writer->started(); }
};

/// Moves the reader's bytes into the socket for as long as the cache has them. Frames are never
/// held while the socket blocks.
Task<Result<void>> send_cached(Session& session, Sending& sending, cache::RangeReader& reader) {
  // A client that takes all at once must not keep the worker from the others.
  constexpr unsigned kWritesPerTurn = 16;
  const milliseconds patience = session.shared().client.config().progress_timeout;
  unsigned writes = 0;
  while (!reader.done()) {
    std::size_t taken = 0;
    {
      cache::View view = reader.try_next();
      if (!view) {
        CO_TRY(auto brought_in, co_await reader.next(Deadline::after(patience)));
        view = std::move(brought_in);
      }
      const Result<std::size_t> written = sending.writer->try_write(view.parts());
      if (!written)
        co_return Errc::cancelled;
      taken = written.value();
    }
    if (taken != 0) {
      reader.advance(taken);
      if (++writes % kWritesPerTurn == 0)
        co_await runtime::yield();
      continue;
    }
    const Result<void> writable = co_await session.stream().wait_writable(session.send_deadline());
    if (!writable)
      co_return Errc::cancelled;
  }
  co_return success();
}

/// The rest straight from the origin, past a cache that cannot serve it now.
Task<Result<void>> send_direct(Session& session, Sending& sending, std::uint64_t position) {
  Shared& shared = session.shared();
  const Budget::Permit permit =
      co_await shared.direct_reads.acquire(Deadline::after(shared.config.queue_timeout));
  if (!permit)
    co_return Errc::overloaded;
  CO_TRY(auto source, co_await sending.fetcher->open(sending.object, position,
                                                     sending.plan.range.last + 1 - position,
                                                     cache::FillReason::demand));
  const milliseconds progress = shared.client.config().progress_timeout;
  std::vector<std::byte> buffer(kRelayBuffer);
  while (position <= sending.plan.range.last) {
    CO_TRY(const std::size_t got, co_await source->read(buffer, Deadline::after(progress)));
    const std::span<const std::byte> piece = std::span{buffer}.first(got);
    const Result<void> written = co_await sending.writer->write(piece, session.send_deadline());
    if (!written)
      co_return Errc::cancelled;
    position += got;
    ReadMetrics::get().direct.add(got);
  }
  co_return success();
}

Task<Outcome> send_planned(Session& session, Sending& sending) {
  const http::BodyFraming framing{http::Framing::length, sending.plan.range.length()};
  auto writer = session.begin_answer(sending.plan.head, framing);
  if (!writer)
    co_return Outcome::refused;
  sending.writer.emplace(std::move(writer).value());
  cache::RangeReader reader{session.shared().cache, sending.object, sending.plan.range.first,
                            sending.plan.range.last + 1, sending.fetcher};
  if (sending.source)
    reader.adopt(std::move(sending.source));
  Result<void> sent = co_await send_cached(session, sending, reader);
  ReadMetrics::get().cached.add(reader.tally().cached);
  ReadMetrics::get().filled.add(reader.tally().filled);
  // What the cache cannot bring, the origin may: only its own failure reaches the client.
  if (!sent && sent.error() != Errc::changed && sent.error() != Errc::cancelled)
    sent = co_await send_direct(session, sending, reader.position());
  if (sent)
    sent = co_await sending.writer->finish(session.send_deadline());
  session.record().bytes_out = sending.writer->written();
  if (sent)
    co_return Outcome::done;
  if (sending.started() || sent.error() == Errc::cancelled) {
    session.cut();
    co_return Outcome::done;
  }
  if (sent.error() == Errc::changed)
    co_return Outcome::changed;
  if (sent.error() == Errc::refused)
    co_return Outcome::refused;
  session.record().cache = "-";
  co_await session.answer_error(failure_of(sent.error()));
  co_return Outcome::done;
}

/// The status for x-forebay-cache, before the first byte.
std::string_view cache_status(const cache::Coverage& coverage) {
  ReadMetrics& metrics = ReadMetrics::get();
  if (coverage.cached == coverage.blocks) {
    metrics.hit.add();
    return "hit";
  }
  if (coverage.cached == 0) {
    metrics.miss.add();
    return "miss";
  }
  metrics.partial.add();
  return "partial";
}

Task<void> forward_uncached(Session& session, Request& request) {
  session.record().cache = "bypass";
  ReadMetrics::get().bypass.add();
  co_await forward(session, request);
}

/// Answers from the cache what a verdict allows.
Task<Outcome> read_with_verdict(Session& session, const Request& request,
                                const origin::Verdict& verdict,
                                std::unique_ptr<cache::ByteSource> source) {
  Shared& shared = session.shared();
  Sending sending;
  sending.source = std::move(source);
  sending.object = object_of(shared, request, verdict);
  note_version(shared, request, sending.object);
  std::optional<ReadPlan> plan = plan_read(request.head, verdict);
  if (!sending.object || !plan)
    co_return Outcome::refused;
  sending.plan = *std::move(plan);
  sending.fetcher = make_fetcher(session, request);
  session.record().cache = cache_status(
      shared.cache.coverage(*sending.object, sending.plan.range.first, sending.plan.range.last));
  co_return co_await send_planned(session, sending);
}

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
    const Outcome outcome = co_await read_with_verdict(session, request, *verdict.value(), nullptr);
    if (outcome == Outcome::done)
      co_return;
    if (outcome == Outcome::refused)
      break;
  }
  co_await forward_uncached(session, request);
}

Task<void> fill_in_background(cache::BlockCache* cache, cache::ObjectPtr object,
                              std::uint32_t block, cache::FetcherPtr fetcher) {
  co_await cache->ensure(std::move(object), block, block + 1, std::move(fetcher),
                         cache::FillReason::background);
}

/// A small range that was read cold: its block is filled in the background once it is read again.
void touch(Session& session, const Request& request, const cache::ObjectPtr& object,
           const http::ByteRange& range) {
  Shared& shared = session.shared();
  const auto first = static_cast<std::uint32_t>(range.first / cache::kBlockSize);
  const auto last = static_cast<std::uint32_t>(range.last / cache::kBlockSize);
  for (std::uint32_t block = first; block <= last; ++block) {
    if (shared.cache.second_touch(*object, block))
      runtime::Worker::current().tasks().spawn("background fill", &fill_in_background,
                                               &shared.cache, object, block,
                                               make_fetcher(session, request));
  }
}

/// Sends the caller's own GET, and learns from its answer: a whole cold object becomes a fill that
/// this reader follows, all else is relayed.
/// `asking` is held until the answer's head is here.
Task<void> read_by_own_get(Session& session, Request& request,
                           std::optional<VersionMemo::Asking> asking) {
  Shared& shared = session.shared();
  http::RequestHead head = origin_head(request);
  origin::sign_as(*request.caller, shared.client, s3::kEmptyPayload, head);
  http::ResponseHead answer;
  const Deadline deadline = Deadline::after(shared.client.config().first_byte_timeout);
  auto exchange =
      co_await shared.client.get(std::move(head), origin::Reason::forward, deadline, answer);
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
  }
  asking.reset();
  if (object && answer.status == kOk && exchange.value()->framing().length == verdict->size) {
    auto source = make_source(std::move(exchange).value(), verdict->size);
    // The answer in hand is the verdict: it was asked for this caller, after the request came.
    const Outcome outcome =
        co_await read_with_verdict(session, request, *verdict, std::move(source));
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

/// Queues the object of a successful HeadObject, where the configuration says so.
void maybe_prestage(Session& session, const Request& request, const http::ResponseHead& answer) {
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
  if (object && wanted && (rule == nullptr || rule->prestage) && !origin::is_archived(answer))
    shared.prestager.submit(object, make_fetcher(session, request));
}

}  // namespace

Task<void> read_object(Session& session, Request& request) {
  if (!may_use_cache(session, request)) {
    co_await forward_uncached(session, request);
    co_return;
  }
  std::optional<VersionMemo::Asking> asking;
  if (own_get_is_better(session, request, asking)) {
    co_await read_by_own_get(session, request, std::move(asking));
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
  http::RequestHead head = origin_head(request);
  origin::sign_as(*request.caller, client, s3::kEmptyPayload, head);
  const Deadline deadline = Deadline::after(client.config().first_byte_timeout);
  http::ResponseHead answer;
  auto exchange = co_await client.get(std::move(head), origin::Reason::forward, deadline, answer);
  if (!exchange) {
    co_await session.answer_error(failure_of(exchange.error()));
    co_return;
  }
  maybe_prestage(session, request, answer);
  co_await relay_answer(session, *exchange.value(), std::move(answer));
}

}  // namespace forebay::proxy
