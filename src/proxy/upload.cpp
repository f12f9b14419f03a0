#include "proxy/upload.hpp"

#include <forebay/base/errc.hpp>

#include <utility>

namespace forebay::proxy {
namespace {

constexpr int kContinue = 100;

Deadline body_deadline(const Session& session, const UploadPace& pace) {
  return session.receive_deadline().capped(pace.deadline(Clock::now()));
}

/// The answer that came in the middle of a body, if one did. A 100 that came after ours is none.
Task<Answer> early_answer(origin::Exchange& exchange, milliseconds patience) {
  while (exchange.response_pending()) {
    auto head = co_await exchange.read_head(Deadline::after(patience));
    if (!head || head.value().status != kContinue)
      co_return Answer{std::move(head)};
  }
  co_return std::nullopt;
}

/// The next bytes of the body. An answer that the origin gives while the client is silent ends the
/// wait: then `early` is set, and nothing was read.
Task<Result<std::size_t>> next_piece(Session& session, std::span<std::byte> space,
                                     origin::Exchange& exchange, UploadPace& pace, Answer& early) {
  const milliseconds patience = session.shared().client.config().first_byte_timeout;
  const Deadline at_once = Deadline::at(TimePoint::min());
  for (;;) {
    const auto got = co_await session.reader().read_body(space, at_once);
    if (got)
      pace.received(got.value());
    if (got || got.error() != Errc::timeout)
      co_return got;
    const TimePoint began = Clock::now();
    const Deadline deadline = body_deadline(session, pace);
    const auto waited = co_await exchange.wait_response_or(session.stream(), deadline);
    pace.waited(Clock::now() - began);
    if (!waited)
      co_return waited.error();
    Answer came = co_await early_answer(exchange, patience);
    if (came) {
      early = std::move(came);
      co_return std::size_t{0};
    }
  }
}

/// Ends the body at the origin, if it proved all it was to prove.
Task<UploadEnd> end_body(BodyWriter& writer, s3::PayloadVerifier& verifier) {
  s3::Outcome<void> proven = verifier.finish();
  if (!proven)
    co_return UploadEnd{.how = Upload::aborted, .failure = std::move(proven).error()};
  const Result<void> finished = co_await writer.finish(verifier.trailers());
  co_return UploadEnd{.how = finished ? Upload::sent : Upload::answered};
}

}  // namespace

UploadPace upload_pace(Session& session) {
  const ProxyConfig& config = session.shared().config;
  return UploadPace{config.min_upload_rate, config.upload_grace};
}

std::optional<s3::Failure> client_failed(Session& session, const Error& error) {
  if (error == Errc::timeout) {
    session.close_after_answer();
    return s3::Failure{s3::ErrorCode::request_timeout};
  }
  session.cut();
  return std::nullopt;
}

Task<bool> wait_for_body(Session& session, const Request& request, UploadPace& pace) {
  const bool is_here = !request.body_prefix.empty();
  if (!request.has_body() || is_here || session.expects_continue())
    co_return true;
  const TimePoint began = Clock::now();
  const Deadline deadline = body_deadline(session, pace);
  const auto waited = co_await session.reader().wait_body(deadline);
  pace.waited(Clock::now() - began);
  if (waited)
    co_return true;
  auto failure = client_failed(session, waited.error());
  if (failure)
    co_await session.answer_error(*std::move(failure));
  co_return false;
}

Task<Result<std::size_t>> read_body(Session& session, std::span<std::byte> space,
                                    UploadPace& pace) {
  const TimePoint began = Clock::now();
  const Deadline deadline = body_deadline(session, pace);
  const auto got = co_await session.reader().read_body(space, deadline);
  pace.waited(Clock::now() - began);
  if (got)
    pace.received(got.value());
  co_return got;
}

Task<UploadEnd> upload_body(Session& session, Request& request, BodyWriter& writer,
                            origin::Exchange& exchange, UploadPace& pace) {
  const origin::OriginConfig& config = session.shared().client.config();
  s3::PayloadVerifier verifier{request.claims, request.chunk_signer()};
  UploadEnd end{.how = Upload::answered};
  if (!request.body_prefix.empty()) {
    const auto prefix = std::as_bytes(std::span{request.body_prefix});
    const Result<void> begun =
        co_await exchange.write_body(prefix, Deadline::after(config.progress_timeout));
    if (!begun)
      co_return end;
  }
  for (;;) {
    const auto got = co_await next_piece(session, writer.space(), exchange, pace, end.early);
    if (end.early)
      co_return end;
    if (!got)
      co_return UploadEnd{.how = Upload::aborted, .failure = client_failed(session, got.error())};
    session.record().bytes_in += got.value();
    if (got.value() == 0)
      co_return co_await end_body(writer, verifier);
    auto data = verifier.take(writer.space().first(got.value()));
    if (!data)
      co_return UploadEnd{.how = Upload::aborted, .failure = std::move(data).error()};
    writer.add(data.value().size());
    if (!writer.is_full())
      continue;
    const Result<void> written = co_await writer.send_held();
    if (!written)
      co_return end;
    Answer came = co_await early_answer(exchange, config.first_byte_timeout);
    if (came) {
      end.early = std::move(came);
      co_return end;
    }
  }
}

}  // namespace forebay::proxy
