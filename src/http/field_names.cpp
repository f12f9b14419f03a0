#include "http/text.hpp"

#include <forebay/http/field_names.hpp>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace forebay::http {
namespace {

constexpr std::string_view kMetadataPrefix = "x-amz-meta-";

// What begins so is of S3, of another protocol's credentials or access rules, of a proxy's word
// about the client, or of conditions and bodies.
constexpr std::array<std::string_view, 20> kDecisivePrefixes{
    "x-amz-",    "content-",     "if-",        "accept-",    "access-control-",
    "proxy-",    "x-auth-",      "x-goog-",    "x-rgw-",     "rgwx-",
    "x-minio-",  "x-oss-",       "x-emc-",     "x-copy-",    "x-acl-",
    "x-object-", "x-container-", "x-account-", "x-storage-", "x-forwarded-"};
constexpr std::array<std::string_view, 30> kDecisiveNames{"authorization",
                                                          "host",
                                                          "range",
                                                          "expect",
                                                          "date",
                                                          "connection",
                                                          "transfer-encoding",
                                                          "keep-alive",
                                                          "te",
                                                          "trailer",
                                                          "upgrade",
                                                          "via",
                                                          "cookie",
                                                          "origin",
                                                          "referer",
                                                          "forwarded",
                                                          "user-agent",
                                                          "cache-control",
                                                          "expires",
                                                          "x-real-ip",
                                                          "x-client-ip",
                                                          "true-client-ip",
                                                          "cf-connecting-ip",
                                                          "x-cluster-client-ip",
                                                          "x-service-token",
                                                          "x-subject-token",
                                                          "x-delete-at",
                                                          "x-delete-after",
                                                          "x-versions-location",
                                                          "x-history-location"};

// Servers do not agree on which of several values counts.
constexpr std::array<std::string_view, 10> kSingle{
    "authorization", "content-md5",          "content-type",      "date",
    "expect",        "x-amz-content-sha256", "x-amz-copy-source", "x-amz-copy-source-range",
    "x-amz-date",    "x-amz-security-token"};

char fold(char c) {
  if (c >= 'A' && c <= 'Z')
    return static_cast<char>(c - 'A' + 'a');
  return is_alpha(c) || is_digit(c) ? c : '-';
}

/// Whether two names that are spelled differently fold alike.
bool has_collision(const Headers& headers) {
  std::vector<std::pair<std::string, std::string>> names;
  names.reserve(headers.size());
  for (const auto& field : headers)
    names.emplace_back(fold_name(field.name), to_lower(field.name));
  std::sort(names.begin(), names.end());
  return std::adjacent_find(names.begin(), names.end(), [](const auto& a, const auto& b) {
           return a.first == b.first && a.second != b.second;
         }) != names.end();
}

}  // namespace

std::string fold_name(std::string_view name) {
  std::string folded{name};
  std::transform(folded.begin(), folded.end(), folded.begin(), fold);
  return folded;
}

bool folds_to(std::string_view name, std::string_view folded_name) {
  return std::equal(name.begin(), name.end(), folded_name.begin(), folded_name.end(),
                    [](char a, char b) { return fold(a) == b; });
}

bool is_plain_name(std::string_view name) {
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return is_alpha(c) || is_digit(c) || c == '-'; });
}

bool is_decisive(std::string_view folded_name) {
  return std::find(kDecisiveNames.begin(), kDecisiveNames.end(), folded_name) !=
             kDecisiveNames.end() ||
         std::any_of(
             kDecisivePrefixes.begin(), kDecisivePrefixes.end(),
             [folded_name](std::string_view each) { return folded_name.starts_with(each); });
}

bool is_metadata_name(std::string_view name) {
  return iequals(name.substr(0, kMetadataPrefix.size()), kMetadataPrefix);
}

std::optional<Refusal> check_names(const Headers& headers) {
  if (headers.size() > kFieldsMax)
    return Refusal::too_many_fields;
  bool any_odd = false;
  std::array<bool, kSingle.size()> seen{};
  for (const auto& field : headers) {
    if (field.name.size() > kFieldNameMax || field.value.size() > kFieldValueMax)
      return Refusal::field_size;
    const bool is_odd = !is_plain_name(field.name);
    if (is_odd && !is_metadata_name(field.name) && is_decisive(fold_name(field.name)))
      return Refusal::folded_name;
    any_odd = any_odd || is_odd;
    for (std::size_t i = 0; i < kSingle.size(); ++i) {
      if (iequals(kSingle[i], field.name) && std::exchange(seen[i], true))
        return Refusal::repeated_field;
    }
  }
  if (any_odd && has_collision(headers))
    return Refusal::folded_name;
  return std::nullopt;
}

bool is_of_other_protocol(std::string_view name) {
  constexpr std::array<std::string_view, 12> kPrefixes{
      "x-goog-",   "x-rgw-",     "x-dho-",       "x-minio-",   "x-oss-",  "x-emc-",
      "x-object-", "x-account-", "x-container-", "x-storage-", "x-copy-", "rgwx-"};
  return std::any_of(kPrefixes.begin(), kPrefixes.end(), [name](std::string_view prefix) {
    return iequals(name.substr(0, prefix.size()), prefix);
  });
}

void remove_ambiguous_names(Headers& headers) {
  headers.remove_if([](const Headers::Field& field) {
    const bool is_odd = !is_plain_name(field.name) && !is_metadata_name(field.name);
    return is_odd || is_of_other_protocol(field.name);
  });
}

}  // namespace forebay::http
