// The write path, and every request that is not answered from the cache: streamed to the origin and
// back in constant memory.
#include "proxy/origin_request.hpp"
#include "proxy/relay.hpp"

#include <forebay/base/errc.hpp>
#include <forebay/s3/sha256.hpp>

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

/// The value to sign for the origin: it is told the same as the client told us.
std::string_view payload_hash(const Request& request) {
  return request.payload == s3::PayloadMode::absent
             ? s3::kUnsignedPayload
             : std::string_view{request.caller->authorization.payload_hash};
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

/// Sends the client's body on. The last piece waits until the hash of all is known to be right.
Task<Upload> upload_body(Session& session, Request& request, origin::Exchange& exchange,
                         Answer& early) {
  const milliseconds progress = session.shared().client.config().progress_timeout;
  const milliseconds patience = session.shared().client.config().first_byte_timeout;
  const bool check_hash = request.payload == s3::PayloadMode::sha256;
  s3::Sha256 hash;
  std::vector<std::byte> current(kRelayBuffer);
  std::vector<std::byte> held(kRelayBuffer);
  std::size_t held_size = 0;
  for (;;) {
    auto got = co_await session.reader().read_body(current, session.receive_deadline());
    if (!got) {
      // The client left, or went silent. Dropping the exchange aborts the upload at the origin.
      if (got.error() == Errc::timeout)
        co_await session.answer_error(s3::Failure{s3::ErrorCode::request_timeout});
      session.cut();
      co_return Upload::aborted;
    }
    session.record().bytes_in += got.value();
    const bool last = got.value() == 0;
    if (check_hash && !last)
      hash.update(std::span{current}.first(got.value()));
    if (check_hash && last && hash.finish_hex() != request.caller->authorization.payload_hash) {
      co_await session.answer_error(s3::Failure{s3::ErrorCode::xamz_content_sha256_mismatch});
      co_return Upload::aborted;
    }
    if (held_size != 0) {
      const std::span<const std::byte> piece = std::span{held}.first(held_size);
      const Result<void> written = co_await exchange.write_body(piece, Deadline::after(progress));
      if (!written)
        co_return Upload::answered;
    }
    if (last)
      break;
    Answer came = co_await early_answer(exchange, patience);
    if (came) {
      early = std::move(came);
      co_return Upload::answered;
    }
    std::swap(current, held);
    held_size = got.value();
  }
  const Result<void> finished = co_await exchange.finish_body(Deadline::after(progress));
  co_return finished ? Upload::sent : Upload::answered;
}

/// The answer to a request whose body, if any, has gone as far as `upload` says.
Task<void> answer(Session& session, origin::Exchange& exchange, Upload upload, Answer early) {
  const origin::OriginConfig& config = session.shared().client.config();
  const milliseconds patience =
      upload == Upload::answered ? config.first_byte_timeout : config.write_response_timeout;
  if (!early) {
    auto late = co_await read_final_head(exchange, Deadline::after(patience));
    early.emplace(std::move(late));
  }
  Result<http::ResponseHead>& head = *early;
  if (head)
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
Task<void> forward_safe(Session& session, http::RequestHead head) {
  origin::Client& client = session.shared().client;
  const Deadline deadline = Deadline::after(client.config().first_byte_timeout);
  http::ResponseHead response;
  auto exchange = co_await client.get(std::move(head), origin::Reason::forward, deadline, response);
  if (exchange)
    co_await relay_answer(session, *exchange.value(), std::move(response));
  else
    co_await session.answer_error(failure_of(exchange.error()));
}

}  // namespace

Task<void> forward(Session& session, Request& request) {
  origin::Client& client = session.shared().client;
  http::RequestHead head = origin_head(request);
  if (session.expects_continue())
    head.headers.set("Expect", "100-continue");
  origin::sign_as(*request.caller, client, payload_hash(request), head);
  if (request.is_safe() && !request.has_body()) {
    co_await forward_safe(session, std::move(head));
    co_return;
  }
  const Deadline deadline = Deadline::after(client.config().connect_timeout);
  auto exchange = co_await client.send(std::move(head), origin::Reason::forward, deadline);
  if (!exchange) {
    co_await session.answer_error(failure_of(exchange.error()));
    co_return;
  }
  Upload upload = Upload::sent;
  Answer early;
  if (session.expects_continue()) {
    Continuation continuation = co_await negotiate_continue(session, *exchange.value());
    if (continuation.refusal) {
      co_await answer(session, *exchange.value(), Upload::answered,
                      std::move(continuation.refusal));
      co_return;
    }
    if (!continuation.send) {
      session.cut();
      co_return;
    }
  }
  if (request.has_body())
    upload = co_await upload_body(session, request, *exchange.value(), early);
  if (upload != Upload::aborted)
    co_await answer(session, *exchange.value(), upload, std::move(early));
}

}  // namespace forebay::proxy
