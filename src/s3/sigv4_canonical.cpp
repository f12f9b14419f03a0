#include "s3/sigv4_canonical.hpp"

#include "s3/sha256_state.hpp"

#include <forebay/http/uri.hpp>
#include <forebay/s3/sha256.hpp>
#include <forebay/s3/sigv4.hpp>

#include <algorithm>
#include <cstring>
#include <tuple>
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
  result.reserve(text.size() + text.size() / 8);
  for (const auto& [name, value] : encoded) {
    if (!result.empty())
      result += '&';
    result.append(name).append("=").append(value);
  }
  return result;
}

/// Appends `value` trimmed, every run of blanks within it as one space.
void append_collapsed(CanonicalRequest& result, std::string_view value) {
  constexpr std::string_view kBlanks = " \t";
  bool first = true;
  while (true) {
    const auto begin = value.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos)
      return;
    value.remove_prefix(begin);
    const auto word = value.substr(0, value.find_first_of(kBlanks));
    if (!std::exchange(first, false))
      result.append(" ");
    result.append(word);
    value.remove_prefix(word.size());
  }
}

void append_canonical_header(CanonicalRequest& result, const FieldIndex& fields,
                             std::string_view name) {
  result.append(name).append(":");
  bool first = true;
  for (const auto& field : fields.find(name)) {
    if (!std::exchange(first, false))
      result.append(",");
    append_collapsed(result, field.value);
  }
  result.append("\n");
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
  std::string scope;
  scope.reserve(date.size() + region.size() + kService.size() + kTerminator.size() + 3);
  scope.append(date);
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

FieldIndex::FieldIndex(const http::Headers& headers) {
  entries_.reserve(headers.size());
  for (const auto& field : headers)
    entries_.push_back({http::to_lower(field.name), entries_.size(), field.value});
  std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.name, a.index) < std::tie(b.name, b.index);
  });
}

std::span<const FieldIndex::Entry> FieldIndex::find(std::string_view name) const {
  const auto begin = std::lower_bound(
      entries_.begin(), entries_.end(), name,
      [](const Entry& entry, std::string_view wanted) { return entry.name < wanted; });
  const auto end = std::find_if(begin, entries_.end(),
                                [name](const Entry& entry) { return entry.name != name; });
  return {begin, end};
}

CanonicalRequest::CanonicalRequest() {
  constexpr std::size_t kUsual = 1024;
  kept_.reserve(kUsual);
}

CanonicalRequest& CanonicalRequest::append(std::string_view text) {
  if (hash_) {
    hash_->update(text);
    return *this;
  }
  kept_ += text;
  if (kept_.size() > kKept) {
    hash_.emplace();
    hash_->update(kept_);
    kept_.resize(kKept);
  }
  return *this;
}

std::string CanonicalRequest::finish() {
  return hash_ ? hash_->finish_hex() : sha256_hex(kept_);
}

Outcome<CanonicalRequest> canonical_request(const http::RequestHead& request,
                                            const FieldIndex& fields,
                                            const std::vector<std::string>& signed_headers,
                                            std::string_view payload_hash) {
  const auto target = http::split_target(request.target);
  const auto path = http::percent_decode(target.path);
  if (!path)
    return Failure{ErrorCode::invalid_uri};
  TRY(const auto query, canonical_query(target.query.value_or("")));
  CanonicalRequest result;
  result.append(request.method).append("\n");
  result.append(http::percent_encode(path.value(), http::Slash::keep)).append("\n");
  result.append(query).append("\n");
  for (const auto& name : signed_headers)
    append_canonical_header(result, fields, name);
  result.append("\n").append(join_names(signed_headers)).append("\n").append(payload_hash);
  return result;
}

std::string string_to_sign(std::string_view canonical_sha256, std::chrono::sys_seconds time,
                           std::string_view region) {
  const auto date = format_amz_date(time);
  const auto scope = credential_scope(std::string_view{date}.substr(0, 8), region);
  std::string result;
  result.reserve(kAlgorithm.size() + date.size() + scope.size() + canonical_sha256.size() + 3);
  result.append(kAlgorithm).append("\n").append(date).append("\n").append(scope).append("\n");
  result.append(canonical_sha256);
  return result;
}

std::string signature(std::string_view secret_key, std::string_view date, std::string_view region,
                      std::string_view string_to_sign) {
  return to_hex(derived_key(secret_key, date, region).sign(string_to_sign));
}

}  // namespace forebay::s3
