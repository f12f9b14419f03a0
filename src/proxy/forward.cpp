// The write path, and every request that is not answered from the cache: streamed to the origin and
// back in constant memory.
#include "proxy/body_writer.hpp"
#include "proxy/origin_request.hpp"
#include "proxy/relay.hpp"
#include "proxy/upload.hpp"

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

/// The client's body, once the origin wants it.
Task<UploadEnd> send_body(Session& session, Request& request, Outgoing& outgoing,
                          origin::Exchange& exchange, UploadPace& pace) {
  if (session.expects_continue()) {
    Continuation continuation = co_await negotiate_continue(session, exchange);
    if (continuation.refusal)
      co_return UploadEnd{.how = Upload::answered, .early = std::move(continuation.refusal)};
    if (!continuation.send) {
      session.cut();
      co_return UploadEnd{.how = Upload::aborted};
    }
  }
  if (!request.has_body())
    co_return UploadEnd{.how = Upload::sent};
  BodyWriter writer{exchange, outgoing.form, std::move(outgoing.signer),
                    session.shared().client.config().progress_timeout};
  co_return co_await upload_body(session, request, writer, exchange, pace);
}

Task<Attempt> forward_once(Session& session, Request& request, UploadPace& pace) {
  origin::Client& client = session.shared().client;
  const bool has_begun = co_await wait_for_body(session, request, pace);
  if (!has_begun)
    co_return Attempt::done;
  // Signed now: the client may have taken its time.
  Outgoing outgoing = sign_outgoing(session, request);
  const Deadline deadline = Deadline::after(client.config().connect_timeout);
  auto exchange = co_await client.send(std::move(outgoing.head), origin::Reason::forward, deadline);
  if (!exchange) {
    co_await session.answer_error(failure_of(exchange.error()));
    co_return Attempt::done;
  }
  UploadEnd end = co_await send_body(session, request, outgoing, *exchange.value(), pace);
  if (end.how == Upload::aborted) {
    // First, for the client may be slow to hear of it.
    exchange.value().reset();
    if (end.failure)
      co_await session.answer_error(*std::move(end.failure));
    co_return Attempt::done;
  }
  if (!end.early)
    end.early = co_await final_answer(session, *exchange.value(), end.how);
  if (*end.early && origin::is_redirect(end.early->value().status) && !request.is_passed_on()) {
    const bool untouched = session.record().bytes_in == 0;
    co_return co_await redirect(session, request, *exchange.value(), end.early->value(), untouched);
  }
  co_await answer(session, request, *exchange.value(), end.how, *std::move(end.early));
  co_return Attempt::done;
}

}  // namespace

Task<void> forward(Session& session, Request& request) {
  constexpr int kAttemptsMax = 3;
  if (request.is_safe() && !request.has_body()) {
    co_await forward_safe(session, request);
    co_return;
  }
  UploadPace pace = upload_pace(session);
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    const Attempt ended = co_await forward_once(session, request, pace);
    if (ended == Attempt::done)
      co_return;
  }
  co_await session.answer_error(failure_of(make_error_code(Errc::redirected)));
}

}  // namespace forebay::proxy
