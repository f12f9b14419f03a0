#include "s3/text.hpp"

#include <forebay/http/message.hpp>
#include <forebay/s3/query_rules.hpp>
#include <forebay/s3/sigv4.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace forebay::s3 {
namespace {

bool can_be_misread(std::string_view name) {
  return std::any_of(name.begin(), name.end(), [](char c) {
    return is_control(c) || c == ' ' || c == '=' || c == '&' || c == '+';
  });
}

/// Whether one value of it decides what a request does or gets.
bool is_single(std::string_view name) {
  return name == "versionId" || name == "partNumber" || name == "uploadId" ||
         name.starts_with("response-") || is_auth_parameter(name);
}

Failure invalid(std::string_view message, std::string_view name) {
  return {ErrorCode::invalid_argument,
          std::string{message},
          {{"ArgumentName", http::percent_encode(name)}}};
}

/// The name of a parameter that is there twice and must not be, or nullptr.
const std::string* repeated_parameter(std::span<const http::QueryParameter> query) {
  std::vector<const std::string*> names;
  for (const auto& parameter : query) {
    if (is_single(parameter.name))
      names.push_back(&parameter.name);
  }
  std::sort(names.begin(), names.end(), [](const auto* a, const auto* b) { return *a < *b; });
  const auto found = std::adjacent_find(names.begin(), names.end(),
                                        [](const auto* a, const auto* b) { return *a == *b; });
  return found == names.end() ? nullptr : *found;
}

}  // namespace

std::optional<Failure> check_parameters(std::span<const http::QueryParameter> query) {
  if (query.size() > kParametersMax)
    return Failure{ErrorCode::invalid_argument, "The request has too many query parameters."};
  for (const auto& parameter : query) {
    if (can_be_misread(parameter.name))
      return invalid("The name of a query parameter can be read in more than one way.",
                     parameter.name);
  }
  if (const auto* const name = repeated_parameter(query); name != nullptr)
    return invalid("A query parameter that may be there once is there twice.", *name);
  return std::nullopt;
}

bool has_repeated_parameter(std::span<const http::QueryParameter> query) {
  return repeated_parameter(query) != nullptr;
}

bool may_stay_unsigned(std::string_view name) {
  constexpr std::array<std::string_view, 17> kNames{"prefix",
                                                    "delimiter",
                                                    "marker",
                                                    "max-keys",
                                                    "list-type",
                                                    "continuation-token",
                                                    "start-after",
                                                    "encoding-type",
                                                    "fetch-owner",
                                                    "key-marker",
                                                    "version-id-marker",
                                                    "upload-id-marker",
                                                    "max-uploads",
                                                    "part-number-marker",
                                                    "max-parts",
                                                    "allow-unordered",
                                                    "x-id"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

}  // namespace forebay::s3
