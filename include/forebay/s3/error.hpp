#pragma once
// S3's errors: code, HTTP status, message, XML body. The only room and file that writes error XML.
// Codes and messages: Amazon S3 API Reference, "Error responses". Pure.
#include <forebay/base/result.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace forebay::s3 {

enum class ErrorCode {
  access_denied,
  authorization_header_malformed,
  authorization_query_parameters_error,
  bad_digest,
  bad_request,
  entity_too_large,
  entity_too_small,
  expired_token,
  incomplete_body,
  internal_error,
  invalid_access_key_id,
  invalid_argument,
  invalid_bucket_name,
  invalid_digest,
  invalid_policy_document,
  invalid_range,
  invalid_request,
  invalid_token,
  invalid_uri,
  malformed_post_request,
  malformed_trailer,
  malformed_xml,
  method_not_allowed,
  missing_content_length,
  missing_security_header,
  no_such_bucket,
  no_such_key,
  not_implemented,
  not_modified,
  path_style_request_not_allowed,
  precondition_failed,
  request_header_section_too_large,
  request_time_too_skewed,
  request_timeout,
  service_unavailable,
  signature_does_not_match,
  slow_down,
  xamz_content_sha256_mismatch,
};

struct ErrorInfo {
  ErrorCode code;
  std::string_view name;     ///< The <Code>.
  int status;                ///< HTTP
  std::string_view message;  ///< AWS's wording where it is known.
};

const ErrorInfo& info(ErrorCode code);

/// An answer that is an error. Constructible from a bare code; then its message is the code's own.
struct Failure {
  using Fields = std::vector<std::pair<std::string, std::string>>;

  explicit Failure(ErrorCode error_code) : code(error_code), message(info(error_code).message) {}
  Failure(ErrorCode error_code, std::string text, Fields extra = {})
      : code(error_code), message(std::move(text)), fields(std::move(extra)) {}

  int status() const { return info(code).status; }

  ErrorCode code;
  std::string message;
  Fields fields;  ///< Further elements of the body in order, such as ArgumentName. Never a secret.
};

/// A value, or the error to answer. `[[nodiscard]]`; works with TRY among functions of its own
/// kind.
template <class T>
using Outcome =
    BOOST_OUTCOME_V2_NAMESPACE::basic_result<T, Failure,
                                             BOOST_OUTCOME_V2_NAMESPACE::policy::all_narrow>;

/// The XML body of `failure`. `resource` is the path as the client sent it. Bytes that XML 1.0 or
/// UTF-8 cannot hold are replaced by U+FFFD; of each element at most 2 KiB are kept.
std::string to_xml(const Failure& failure, std::string_view resource, std::string_view request_id);

/// An element of an origin's error body, such as "Code"; nullopt where there is none.
std::optional<std::string> error_field(std::string_view xml, const char* name);

/// A request id as AWS forms them: 16 upper-case hexadecimal digits.
std::string request_id(std::uint64_t random);

}  // namespace forebay::s3
