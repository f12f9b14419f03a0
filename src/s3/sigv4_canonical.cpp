#include "s3/sigv4_canonical.hpp"

#include "s3/sha256_state.hpp"

#include <forebay/http/uri.hpp>
#include <forebay/s3/sha256.hpp>
#include <forebay/s3/sigv4.hpp>

#include <algorithm>
#include <cstring>
#include <unordered_map>
#include <utility>

#include <openssl/crypto.h>

namespace forebay::s3 {
namespace {

/// Encoded, sorted by encoded name and then value, without the signature itself.
Outcome<std::string> canonical_query(std::string_view text) {
  auto query = http::parse_query(text);
  if (!query)
    return Failure{ErrorCode::invalid_uri};
  std::vector<std::pair<std::string, std::string>> encoded;
  encoded.reserve(query.value().size());
  for (const auto& parameter : query.value()) {
    if (parameter.name != "X-Amz-Signature")
      encoded.emplace_back(http::percent_encode(parameter.name),
                           http::percent_encode(parameter.value));
  }
  std::sort(encoded.begin(), encoded.end());
  std::string result;
  for (const auto& [name, value] : encoded) {
    if (!result.empty())
      result += '&';
    result.append(name).append("=").append(value);
  }
  return result;
}

/// Appends `value` trimmed, every run of blanks within it as one space.
void append_collapsed(std::string& result, std::string_view value) {
  bool pending = false;
  bool started = false;
  for (const char c : value) {
    if (c == ' ' || c == '\t') {
      pending = started;
      continue;
    }
    if (pending)
      result += ' ';
    pending = false;
    started = true;
    result += c;
  }
}

void append_canonical_header(std::string& result, const http::Headers& headers,
                             std::string_view name) {
  result.append(name).append(":");
  bool first = true;
  for (const auto& field : headers) {
    if (!http::iequals(field.name, name))
      continue;
    if (!std::exchange(first, false))
      result += ',';
    append_collapsed(result, field.value);
  }
  result += '\n';
}

HmacKey derive_key(std::string_view secret_key, std::string_view date, std::string_view region) {
  std::string initial = "AWS4";
  initial += secret_key;
  auto digest = HmacKey{initial}.sign(date);
  OPENSSL_cleanse(initial.data(), initial.size());
  digest = HmacKey{digest}.sign(region);
  digest = HmacKey{digest}.sign(kService);
  digest = HmacKey{digest}.sign(kTerminator);
  HmacKey key{digest};
  OPENSSL_cleanse(digest.data(), digest.size());
  return key;
}

struct DigestHash {
  std::size_t operator()(const Sha256::Digest& digest) const {
    std::size_t value = 0;
    std::memcpy(&value, digest.data(), sizeof value);
    return value;
  }
};

}  // namespace

// Kept under a digest of what it is derived from, so that no second copy of the secret lies in
// memory. Callers choose regions, so the cache is emptied when it is full: deriving again costs
// four microseconds.
HmacKey derived_key(std::string_view secret_key, std::string_view date, std::string_view region) {
  constexpr std::size_t kCapacity = 256;
  thread_local std::unordered_map<Sha256::Digest, HmacKey, DigestHash> cache;
  // The lengths keep different triples apart.
  std::string name = std::to_string(date.size()) + ':' + std::to_string(region.size()) + ':';
  name.append(date).append(region).append(secret_key);
  const auto id = sha256(name);
  OPENSSL_cleanse(name.data(), name.size());
  if (const auto found = cache.find(id); found != cache.end())
    return found->second;
  if (cache.size() >= kCapacity)
    cache.clear();
  return cache.emplace(id, derive_key(secret_key, date, region)).first->second;
}

std::string credential_scope(std::string_view date, std::string_view region) {
  std::string scope{date};
  scope.append("/").append(region).append("/").append(kService).append("/").append(kTerminator);
  return scope;
}

std::string join_names(const std::vector<std::string>& names) {
  std::string result;
  for (const auto& name : names) {
    if (!result.empty())
      result += ';';
    result += name;
  }
  return result;
}

Outcome<std::string> canonical_request(const http::RequestHead& request,
                                       const std::vector<std::string>& signed_headers,
                                       std::string_view payload_hash) {
  const auto target = http::split_target(request.target);
  const auto path = http::percent_decode(target.path);
  if (!path)
    return Failure{ErrorCode::invalid_uri};
  TRY(const auto query, canonical_query(target.query.value_or("")));
  std::string result;
  result.reserve(512 + request.target.size());
  result.append(request.method).append("\n");
  result.append(http::percent_encode(path.value(), http::Slash::keep)).append("\n");
  result.append(query).append("\n");
  for (const auto& name : signed_headers)
    append_canonical_header(result, request.headers, name);
  result.append("\n").append(join_names(signed_headers)).append("\n").append(payload_hash);
  return result;
}

std::string string_to_sign(std::string_view canonical_request, std::chrono::sys_seconds time,
                           std::string_view region) {
  const auto date = format_amz_date(time);
  std::string result{kAlgorithm};
  result.append("\n").append(date).append("\n");
  result.append(credential_scope(std::string_view{date}.substr(0, 8), region)).append("\n");
  result.append(sha256_hex(canonical_request));
  return result;
}

std::string signature(std::string_view secret_key, std::string_view date, std::string_view region,
                      std::string_view string_to_sign) {
  return to_hex(derived_key(secret_key, date, region).sign(string_to_sign));
}

}  // namespace forebay::s3
