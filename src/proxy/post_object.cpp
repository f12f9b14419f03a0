// PostObject: a browser's upload, whose authorisation lies in its body.
#include "proxy/authenticate.hpp"
#include "proxy/session.hpp"
#include "proxy/upload.hpp"

#include <forebay/base/errc.hpp>
#include <forebay/s3/post_form.hpp>

#include <algorithm>
#include <utility>

namespace forebay::proxy {
namespace {

/// Reads the body up to where its file begins into `body`. nullopt: the client is gone, or was
/// told.
Task<std::optional<s3::PostForm>> read_form(Session& session, const Request& request,
                                            std::string& body) {
  auto parser = s3::PostFormParser::create(request.head.headers.value_or_empty("Content-Type"));
  if (!parser) {
    co_await session.answer_error(std::move(parser).error());
    co_return std::nullopt;
  }
  UploadPace pace = upload_pace(session);
  for (;;) {
    s3::Outcome<bool> complete = parser.value().feed(body);
    if (!complete) {
      co_await session.answer_error(std::move(complete).error());
      co_return std::nullopt;
    }
    if (complete.value())
      co_return parser.value().take();
    constexpr std::size_t kPiece = 8 * KiB;
    const std::size_t before = body.size();
    body.resize(before + kPiece);
    const auto space = std::as_writable_bytes(std::span{body}).subspan(before);
    const auto got = co_await read_body(session, space, pace);
    body.resize(before + (got ? got.value() : 0));
    if (!got) {
      auto failure = client_failed(session, got.error());
      if (failure)
        co_await session.answer_error(*std::move(failure));
      co_return std::nullopt;
    }
    session.record().bytes_in += got.value();
    if (got.value() == 0) {
      co_await session.answer_error(s3::Failure{s3::ErrorCode::malformed_post_request});
      co_return std::nullopt;
    }
  }
}

/// Verifies the form's policy, and signs it anew where the origin knows the caller by another pair.
/// Returns what goes to the origin in place of the form.
s3::Outcome<std::string> authorize_form(Session& session, Request& request,
                                        const s3::PostForm& form, const std::string& body) {
  Shared& shared = session.shared();
  TRY(const s3::PostAuthorization authorization, s3::post_authorization(form));
  if (authorization.kind == s3::PostAuthorization::Kind::none) {
    if (shared.config.anonymous == AnonymousPolicy::deny)
      return s3::Failure{s3::ErrorCode::access_denied};
    return body;
  }
  TRY(const auto key, find_key(*shared.callers, authorization.access_key));
  if (auto failure = s3::verify_post(authorization, key->secret_key); failure)
    return *std::move(failure);
  if (!key->allows(request.address.bucket, true))
    return s3::Failure{s3::ErrorCode::access_denied};
  session.record().access_key = key->access_key;
  const std::string region = shared.client.route(request.origin_target).region;
  const bool same_pair = key->origin_access_key == key->access_key &&
                         key->origin_secret_key == key->secret_key &&
                         key->origin_session_token.empty();
  if (same_pair && (authorization.region == region || authorization.region.empty()))
    return body;
  const s3::Credential credential{key->origin_access_key, key->origin_secret_key,
                                  key->origin_session_token};
  TRY(std::string signed_anew, s3::resign_post(form, body, authorization, credential, region));
  return signed_anew.append(body, form.file_part);
}

}  // namespace

Task<void> post_object(Session& session, Request& request) {
  constexpr std::string_view kContinueAnswer = "HTTP/1.1 100 Continue\r\n\r\n";
  if (session.expects_continue()) {
    session.continue_sent();
    const Result<void> told =
        co_await session.stream().write_all(kContinueAnswer, session.send_deadline());
    if (!told) {
      session.cut();
      co_return;
    }
  }
  std::string body;
  const std::optional<s3::PostForm> form = co_await read_form(session, request, body);
  if (!form)
    co_return;
  auto signed_form = authorize_form(session, request, *form, body);
  if (!signed_form) {
    co_await session.answer_error(std::move(signed_form).error());
    co_return;
  }
  request.body_prefix = std::move(signed_form).value();
  // A digest of the form as it was.
  request.claims.sums.clear();
  request.head.headers.remove("Content-MD5");
  if (request.body.framing == http::Framing::length)
    request.head.headers.set("Content-Length", std::to_string(request.body.length - body.size() +
                                                              request.body_prefix.size()));
  co_await forward(session, request);
}

}  // namespace forebay::proxy
