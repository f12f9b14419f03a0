#include <forebay/base/errc.hpp>
#include <forebay/origin/caller.hpp>
#include <forebay/origin/redirect.hpp>

#include <array>
#include <chrono>

namespace forebay::origin {
namespace {

using Kind = s3::Authorization::Kind;

std::chrono::sys_seconds now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

/// A session token that the caller sent belongs to the pair that is used unchanged.
s3::Credential origin_credential(const Caller& caller) {
  const CallerKey& key = *caller.key;
  const bool own_pair = key.origin_session_token.empty() && key.origin_access_key == key.access_key;
  return {key.origin_access_key, key.origin_secret_key,
          own_pair ? Secret{caller.authorization.session_token} : key.origin_session_token};
}

std::string sign_by_header(const Caller& caller, const Client& client,
                           std::string_view payload_hash, http::RequestHead& request) {
  const Route route = client.route(request.target);
  request.headers.set("Host", route.host);
  return s3::sign(request, origin_credential(caller), route.region, payload_hash, now());
}

void sign(const Caller& caller, const Client& client, SignBy by, std::string_view payload_hash,
          http::RequestHead& request) {
  const Kind kind = caller.authorization.kind;
  if (by == SignBy::caller || kind == Kind::anonymous)
    sign_as(caller, client, payload_hash, request);
  else
    sign_by_header(caller, client, payload_hash, request);
}

}  // namespace

CallerPtr keyless_caller(s3::Authorization authorization) {
  static const auto kNoKey = std::make_shared<const CallerKey>();
  return std::make_shared<const Caller>(Caller{kNoKey, std::move(authorization)});
}

CallerPtr node_caller(const s3::Credential& credential) {
  CallerKey key;
  key.access_key = credential.access_key;
  key.origin_access_key = credential.access_key;
  key.origin_secret_key = credential.secret_key;
  key.origin_session_token = credential.session_token;
  return std::make_shared<const Caller>(
      Caller{std::make_shared<const CallerKey>(std::move(key)), s3::Authorization{}});
}

void sign_as(const Caller& caller, const Client& client, std::string_view payload_hash,
             http::RequestHead& request) {
  switch (caller.authorization.kind) {
    case Kind::header:
      sign_by_header(caller, client, payload_hash, request);
      break;
    case Kind::presigned:
    case Kind::presigned_v2: {
      const Route route = client.route(request.target);
      request.headers.set("Host", route.host);
      s3::presign(request, origin_credential(caller), route.region,
                  s3::presign_params(caller.authorization, now()));
      break;
    }
    case Kind::anonymous:
      request.headers.set("Host", client.route(request.target).host);
      if (request.headers.contains("x-amz-content-sha256"))
        request.headers.set("x-amz-content-sha256", std::string{payload_hash});
      break;
    case Kind::passed_on:
      break;
  }
}

s3::ChunkSigner sign_streaming(const Caller& caller, const Client& client,
                               std::string_view payload_hash, http::RequestHead& request) {
  const Route route = client.route(request.target);
  const auto time = now();
  request.headers.set("Host", route.host);
  const s3::Credential credential = origin_credential(caller);
  std::string signature = s3::sign(request, credential, route.region, payload_hash, time);
  return {credential.secret_key, time, route.region, std::move(signature)};
}

Task<bool> learn_redirect(Client& client, std::string_view target, const http::ResponseHead& answer,
                          Exchange& exchange, Deadline deadline) {
  constexpr std::size_t kTextMax = 16 * KiB;
  std::string text;
  std::array<std::byte, 4 * KiB> buffer;
  while (text.size() < kTextMax) {
    const Result<std::size_t> got = co_await exchange.read_body(buffer, deadline);
    if (!got || got.value() == 0)
      break;
    text.append(reinterpret_cast<const char*>(buffer.data()), got.value());
  }
  co_return client.learn(target, answer, text);
}

Task<Result<std::unique_ptr<Exchange>>> ask_as(const Caller& caller, Client& client, SignBy by,
                                               http::RequestHead request, Reason reason,
                                               Deadline deadline, http::ResponseHead& answer,
                                               std::optional<Deadline> queue) {
  constexpr int kHopsMax = 3;
  for (int hop = 0; hop < kHopsMax; ++hop) {
    http::RequestHead head = request;
    sign(caller, client, by, s3::kEmptyPayload, head);
    CO_TRY(auto exchange, co_await client.get(std::move(head), reason, deadline, answer, queue));
    if (!is_redirect(answer.status) || caller.authorization.kind == Kind::passed_on)
      co_return std::move(exchange);
    const bool known = co_await learn_redirect(client, request.target, answer, *exchange, deadline);
    if (!known)
      break;
  }
  co_return Errc::redirected;
}

}  // namespace forebay::origin
