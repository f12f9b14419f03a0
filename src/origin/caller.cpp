#include <forebay/origin/caller.hpp>

#include <chrono>

namespace forebay::origin {
namespace {

s3::Credential origin_credential(const CallerKey& key) {
  return {key.origin_access_key, key.origin_secret_key, key.origin_session_token};
}

}  // namespace

void sign_by_header(const Caller& caller, const Client& client, std::string_view payload_hash,
                    http::RequestHead& request) {
  request.headers.set("Host", client.host());
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  s3::sign(request, origin_credential(*caller.key), client.config().region, payload_hash, now);
}

void sign_as(const Caller& caller, const Client& client, std::string_view payload_hash,
             http::RequestHead& request) {
  if (caller.authorization.kind == s3::Authorization::Kind::header) {
    sign_by_header(caller, client, payload_hash, request);
    return;
  }
  request.headers.set("Host", client.host());
  s3::presign(request, origin_credential(*caller.key), client.config().region,
              s3::presign_params(caller.authorization));
}

}  // namespace forebay::origin
