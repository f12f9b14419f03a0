#include "proxy/cached_answer.hpp"

#include "proxy/origin_fetcher.hpp"
#include "proxy/read_metrics.hpp"
#include "proxy/read_plan.hpp"
#include "proxy/relay.hpp"

#include <forebay/base/errc.hpp>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace forebay::proxy {
namespace {

/// One answer in the making: what has been promised, and how far it has come.
struct Sending {
  cache::ObjectPtr object;
  cache::Hold hold;  ///< From before the status is told until the last byte is sent.
  cache::FetcherPtr fetcher;
  ReadPlan plan;
  std::unique_ptr<cache::ByteSource>
      source;  ///< An open body of the whole object, if there is one.
  std::optional<net::MessageWriter> writer;
  /// How much is asked for at once past the cache, after which it gets another chance.
  std::uint64_t direct_piece = cache::kExtentSize;
  Deadline queue = Deadline::never();  ///< For the waits for frames, permits and connections.
  bool names_version = false;          ///< The request does: a newer one does not end it.

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

/// Bytes straight from an open body, past the cache.
Task<Result<void>> relay_source(Session& session, Sending& sending, cache::ByteSource& source,
                                std::uint64_t length) {
  const milliseconds progress = session.shared().client.config().progress_timeout;
  std::vector<std::byte> buffer(kRelayBuffer);
  while (length != 0) {
    CO_TRY(const std::size_t got, co_await source.read(buffer, Deadline::after(progress)));
    const std::span<const std::byte> piece = std::span{buffer}.first(got);
    const Result<void> written = co_await sending.writer->write(piece, session.send_deadline());
    if (!written)
      co_return Errc::cancelled;
    length -= got;
    ReadMetrics::get().direct.add(got);
  }
  co_return success();
}

/// The bytes [position, end) straight from the origin, past a cache that cannot serve them now.
/// `source` may be open there already.
Task<Result<void>> send_direct(Session& session, Sending& sending, std::uint64_t position,
                               std::uint64_t end, std::unique_ptr<cache::ByteSource> source) {
  const runtime::Budget::Permit permit =
      co_await session.shared().direct_reads.acquire(sending.queue);
  if (!permit)
    co_return Errc::overloaded;
  if (!source) {
    CO_TRY(source, co_await sending.fetcher->open(sending.object, position, end - position,
                                                  cache::FillReason::demand, sending.queue));
  }
  co_return co_await relay_source(session, sending, *source, end - position);
}

/// The rest of the body from `position` on, as far as the cache brings it; `position` is moved on.
Task<Result<void>> send_by_reader(Session& session, Sending& sending, std::uint64_t& position) {
  cache::RangeReader reader{session.shared().cache,      sending.object,  position,
                            sending.plan.range.last + 1, sending.fetcher, sending.queue};
  if (sending.source) {
    sending.source = reader.adopt(std::move(sending.source));
    if (sending.source)
      co_return Errc::overloaded;
  }
  const Result<void> sent = co_await send_cached(session, sending, reader);
  ReadMetrics::get().cached.add(reader.tally().cached);
  ReadMetrics::get().filled.add(reader.tally().filled);
  position = reader.position();
  sending.queue = reader.queue();
  co_return sent;
}

/// What the cache cannot bring, the origin may: only its own failure reaches the client.
Task<Result<void>> send_body(Session& session, Sending& sending) {
  const std::uint64_t end = sending.plan.range.last + 1;
  std::uint64_t position = sending.plan.range.first;
  for (;;) {
    const Result<void> sent = co_await send_by_reader(session, sending, position);
    const bool superseded =
        !sent && sent.error() == Errc::changed && !(sending.names_version && sending.started());
    if (sent || superseded || sent.error() == Errc::cancelled)
      co_return sent;
    // A body that is open already is that of the whole object.
    const std::uint64_t piece_end =
        sending.source ? end : std::min(end, position + sending.direct_piece);
    CO_TRY(co_await send_direct(session, sending, position, piece_end, std::move(sending.source)));
    position = piece_end;
    if (position == end)
      co_return success();
  }
}

Task<Outcome> send_planned(Session& session, Sending& sending) {
  const http::BodyFraming framing{http::Framing::length, sending.plan.range.length()};
  auto writer = session.begin_answer(sending.plan.head, framing);
  if (!writer)
    co_return Outcome::refused;
  sending.writer.emplace(std::move(writer).value());
  Result<void> sent = co_await send_body(session, sending);
  if (sent)
    sent = co_await sending.writer->finish(session.send_deadline());
  session.record().bytes_out = sending.writer->written();
  if (sent)
    co_return Outcome::done;
  if (sending.started() || sent.error() == Errc::cancelled) {
    if (sent.error() == Errc::changed)
      ReadMetrics::get().overwritten.add();
    else if (sent.error() != Errc::cancelled)
      ReadMetrics::get().failed.add();
    session.cut();
    co_return Outcome::done;
  }
  if (sent.error() == Errc::changed)
    co_return Outcome::changed;
  // An answer to another request than ours: the caller's own may fare better.
  if (sent.error() == Errc::refused || sent.error() == Errc::protocol)
    co_return Outcome::refused;
  session.record().cache = "-";
  co_await session.answer_error(failure_of(sent.error()));
  co_return Outcome::done;
}

/// The end of a request's waits. Who comes late because its lookup took long has a part of them.
Deadline queue_deadline(Session& session) {
  constexpr int kLateComersPart = 4;
  const milliseconds wait = session.shared().config.wait;
  return Deadline::at(
      std::max(session.record().started + wait, Clock::now() + wait / kLateComersPart));
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

}  // namespace

Task<void> forward_uncached(Session& session, Request& request) {
  session.record().cache = "bypass";
  ReadMetrics::get().bypass.add();
  co_await forward(session, request);
}

Task<Outcome> answer_from_cache(Session& session, const Request& request,
                                const origin::Verdict& verdict, cache::FetcherPtr fetcher,
                                std::unique_ptr<cache::ByteSource> source) {
  Shared& shared = session.shared();
  Sending sending;
  sending.source = std::move(source);
  sending.object = object_of(shared, request, verdict);
  note_version(shared, request, sending.object);
  std::optional<ReadPlan> plan = plan_read(request.head, verdict);
  if (!sending.object || !plan)
    co_return Outcome::refused;
  sending.hold = shared.cache.hold(sending.object);
  sending.plan = *std::move(plan);
  sending.fetcher = std::move(fetcher);
  sending.queue = queue_deadline(session);
  sending.names_version = !query_value(request, "versionId").empty();
  // The range that a caller signed can only be had as a whole.
  if (request.is_passed_on())
    sending.direct_piece = sending.plan.range.length();
  session.record().cache = cache_status(
      shared.cache.coverage(*sending.object, sending.plan.range.first, sending.plan.range.last));
  co_return co_await send_planned(session, sending);
}

}  // namespace forebay::proxy
