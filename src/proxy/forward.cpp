// The write path, and every request that is not answered from the cache: streamed to the origin and
// back in constant memory.
#include "proxy/body_writer.hpp"
#include "proxy/origin_request.hpp"
#include "proxy/relay.hpp"

#include <forebay/base/errc.hpp>
#include <forebay/origin/redirect.hpp>

#include <optional>
#include <utility>
#include <vector>

namespace forebay::proxy {
namespace {

/// How long the origin gets to say 100 Continue before this node does.
constexpr milliseconds kContinueWait{1'000};
constexpr int kContinue = 100;
constexpr std::string_view kContinueAnswer = "HTTP/1.1 100 Continue\r\n\r\n";

/// What became of a request body.
enum class Upload {
  sent,      ///< All of it.
  answered,  ///< The origin answered, or closed, before its end.
  aborted,   ///< Not all of it, and the client has been told or is gone.
};

/// A request's head as it goes to the origin, and how its body follows.
struct Outgoing {
  http::RequestHead head;
  s3::PayloadForm form = s3::PayloadForm::plain;
  std::optional<s3::ChunkSigner> signer;  ///< Where chunks are signed.
};

/// Signs the caller's request for the origin. The origin is told the same of the body as this node
/// was.
Outgoing sign_outgoing(Session& session, const Request& request) {
  origin::Client& client = session.shared().client;
  Outgoing outgoing;
  outgoing.head = origin_head(request);
  if (session.expects_continue())
    outgoing.head.headers.set("Expect", "100-continue");
  std::string_view hash = request.claims.mode == s3::PayloadMode::absent
                              ? s3::kUnsignedPayload
                              : std::string_view{request.caller->authorization.payload_hash};
  if (request.claims.is_chunked()) {
    outgoing.form = s3::origin_form(request.claims, session.shared().config.trailers);
    hash = s3::frame_for_origin(request.claims, outgoing.form, outgoing.head);
  }
  if (s3::is_signed(outgoing.form))
    outgoing.signer = origin::sign_streaming(*request.caller, client, hash, outgoing.head);
  else
    origin::sign_as(*request.caller, client, hash, outgoing.head);
  return outgoing;
}

/// What came of asking the origin whether it wants the body that the client holds back.
struct Continuation {
  bool send = false;
  /// The origin's final answer, or its failure, where it does not.
  std::optional<Result<http::ResponseHead>> refusal;
};

/// Passes the origin's word on to the client; after a second of silence the word is ours. Neither:
/// the client is gone.
Task<Continuation> negotiate_continue(Session& session, origin::Exchange& exchange) {
  Continuation continuation;
  const auto answered = co_await exchange.wait_response(Deadline::after(kContinueWait));
  if (answered && answered.value()) {
    const milliseconds patience = session.shared().client.config().first_byte_timeout;
    auto head = co_await exchange.read_head(Deadline::after(patience));
    if (!head || head.value().status != kContinue) {
      continuation.refusal.emplace(std::move(head));
      co_return continuation;
    }
  }
  session.continue_sent();
  const Result<void> told =
      co_await session.stream().write_all(kContinueAnswer, session.send_deadline());
  continuation.send = told.has_value();
  co_return continuation;
}

/// The final head. 100s that nobody waits for any more are passed over.
Task<Result<http::ResponseHead>> read_final_head(origin::Exchange& exchange, Deadline deadline) {
  for (;;) {
    auto head = co_await exchange.read_head(deadline);
    if (!head || head.value().status != kContinue)
      co_return head;
  }
}

/// What the origin said at last, or how it failed to; nullopt while nobody has looked.
using Answer = std::optional<Result<http::ResponseHead>>;

/// The answer that came in the middle of a body, if one did. A 100 that came after ours is none.
Task<Answer> early_answer(origin::Exchange& exchange, milliseconds patience) {
  while (exchange.response_pending()) {
    auto head = co_await exchange.read_head(Deadline::after(patience));
    if (!head || head.value().status != kContinue)
      co_return Answer{std::move(head)};
  }
  co_return std::nullopt;
}

/// The client left, or went silent. Dropping the exchange aborts the upload at the origin.
Task<Upload> client_failed(Session& session, Error error) {
  if (error == Errc::timeout)
    co_await session.answer_error(s3::Failure{s3::ErrorCode::request_timeout});
  session.cut();
  co_return Upload::aborted;
}

/// Sends the client's body on. The last piece waits until all that the body was to prove is proven.
Task<Upload> upload_body(Session& session, Request& request, BodyWriter& writer,
                         origin::Exchange& exchange, Answer& early) {
  const milliseconds patience = session.shared().client.config().first_byte_timeout;
  s3::PayloadVerifier verifier{request.claims, request.chunk_signer()};
  if (!request.body_prefix.empty()) {
    const Result<void> begun = co_await exchange.write_body(
        std::as_bytes(std::span{request.body_prefix}),
        Deadline::after(session.shared().client.config().progress_timeout));
    if (!begun)
      co_return Upload::answered;
  }
  for (;;) {
    auto got = co_await session.reader().read_body(writer.space(), session.receive_deadline());
    if (!got)
      co_return co_await client_failed(session, got.error());
    session.record().bytes_in += got.value();
    if (got.value() == 0)
      break;
    auto data = verifier.take(writer.space().first(got.value()));
    if (!data) {
      co_await session.answer_error(std::move(data).error());
      co_return Upload::aborted;
    }
    writer.add(data.value().size());
    if (!writer.is_full())
      continue;
    const Result<void> written = co_await writer.send_held();
    if (!written)
      co_return Upload::answered;
    Answer came = co_await early_answer(exchange, patience);
    if (came) {
      early = std::move(came);
      co_return Upload::answered;
    }
  }
  s3::Outcome<void> proven = verifier.finish();
  if (!proven) {
    co_await session.answer_error(std::move(proven).error());
    co_return Upload::aborted;
  }
  const Result<void> finished = co_await writer.finish(verifier.trailers());
  co_return finished ? Upload::sent : Upload::answered;
}

/// What the origin says in the end.
Task<Result<http::ResponseHead>> final_answer(Session& session, origin::Exchange& exchange,
                                              Upload upload) {
  const origin::OriginConfig& config = session.shared().client.config();
  const milliseconds patience =
      upload == Upload::answered ? config.first_byte_timeout : config.write_response_timeout;
  co_return co_await read_final_head(exchange, Deadline::after(patience));
}

/// The answer to a request whose body, if any, has gone as far as `upload` says.
Task<void> answer(Session& session, const Request& request, origin::Exchange& exchange,
                  Upload upload, Result<http::ResponseHead> head) {
  const bool names_place =
      !request.is_passed_on() && (request.operation == s3::Operation::complete_multipart_upload ||
                                  request.operation == s3::Operation::post_object);
  if (head && names_place)
    co_await relay_located(session, request, exchange, std::move(head).value());
  else if (head)
    co_await relay_answer(session, exchange, std::move(head).value());
  else if (upload == Upload::answered)
    // The body never got there whole, so nothing was written: the client may try again.
    co_await session.answer_error(failure_of(head.error()));
  else
    // The last byte of a write was sent: only the origin knows what became of it.
    session.cut();
}

/// A request that changes nothing and carries no body: it may be repeated, so every failure can be
/// told.
Task<void> forward_safe(Session& session, const Request& request) {
  origin::Client& client = session.shared().client;
  const Deadline deadline = Deadline::after(client.config().first_byte_timeout);
  http::ResponseHead response;
  auto exchange =
      co_await origin::ask_as(*request.caller, client, origin::SignBy::caller, origin_head(request),
                              origin::Reason::forward, deadline, response);
  if (exchange)
    co_await relay_answer(session, *exchange.value(), std::move(response));
  else
    co_await session.answer_error(failure_of(exchange.error()));
}

/// How one attempt to forward a request with a body, or one that changes something, ended.
enum class Attempt { done, redirected };

/// The origin wants the request elsewhere. Where none of a body has left it may go there.
Task<Attempt> redirect(Session& session, const Request& request, origin::Exchange& exchange,
                       const http::ResponseHead& head, bool body_untouched) {
  const Deadline deadline = Deadline::after(session.shared().client.config().first_byte_timeout);
  const bool known = co_await origin::learn_redirect(session.shared().client, request.origin_target,
                                                     head, exchange, deadline);
  if (known && body_untouched)
    co_return Attempt::redirected;
  co_await session.answer_error(known ? s3::Failure{s3::ErrorCode::slow_down}
                                      : failure_of(make_error_code(Errc::redirected)));
  co_return Attempt::done;
}

Task<Attempt> forward_once(Session& session, Request& request) {
  origin::Client& client = session.shared().client;
  Outgoing outgoing = sign_outgoing(session, request);
  const Deadline deadline = Deadline::after(client.config().connect_timeout);
  auto exchange = co_await client.send(std::move(outgoing.head), origin::Reason::forward, deadline);
  if (!exchange) {
    co_await session.answer_error(failure_of(exchange.error()));
    co_return Attempt::done;
  }
  Upload upload = Upload::sent;
  Answer early;
  if (session.expects_continue()) {
    Continuation continuation = co_await negotiate_continue(session, *exchange.value());
    if (!continuation.refusal && !continuation.send) {
      session.cut();
      co_return Attempt::done;
    }
    early = std::move(continuation.refusal);
    if (early)
      upload = Upload::answered;
  }
  if (request.has_body() && !early) {
    BodyWriter writer{*exchange.value(), outgoing.form, std::move(outgoing.signer),
                      client.config().progress_timeout};
    upload = co_await upload_body(session, request, writer, *exchange.value(), early);
  }
  if (upload == Upload::aborted)
    co_return Attempt::done;
  if (!early)
    early = co_await final_answer(session, *exchange.value(), upload);
  if (*early && origin::is_redirect(early->value().status) && !request.is_passed_on()) {
    const bool untouched = session.record().bytes_in == 0;
    co_return co_await redirect(session, request, *exchange.value(), early->value(), untouched);
  }
  co_await answer(session, request, *exchange.value(), upload, *std::move(early));
  co_return Attempt::done;
}

}  // namespace

Task<void> forward(Session& session, Request& request) {
  constexpr int kAttemptsMax = 3;
  if (request.is_safe() && !request.has_body()) {
    co_await forward_safe(session, request);
    co_return;
  }
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    const Attempt ended = co_await forward_once(session, request);
    if (ended == Attempt::done)
      co_return;
  }
  co_await session.answer_error(failure_of(make_error_code(Errc::redirected)));
}

}  // namespace forebay::proxy
