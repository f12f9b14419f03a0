#include <forebay/base/assert.hpp>
#include <forebay/s3/error.hpp>

#include <array>
#include <sstream>

#include <pugixml.hpp>

namespace forebay::s3 {
namespace {

constexpr std::array kErrors{
    ErrorInfo{ErrorCode::access_denied, "AccessDenied", 403, "Access Denied"},
    ErrorInfo{ErrorCode::authorization_header_malformed, "AuthorizationHeaderMalformed", 400,
              "The authorization header that you provided is not valid."},
    ErrorInfo{ErrorCode::authorization_query_parameters_error, "AuthorizationQueryParametersError",
              400, "The authorization query parameters that you provided are not valid."},
    ErrorInfo{ErrorCode::bad_digest, "BadDigest", 400,
              "The Content-MD5 you specified did not match what we received."},
    ErrorInfo{ErrorCode::bad_request, "BadRequest", 400, "Bad Request"},
    ErrorInfo{ErrorCode::entity_too_large, "EntityTooLarge", 400,
              "Your proposed upload exceeds the maximum allowed size"},
    ErrorInfo{ErrorCode::entity_too_small, "EntityTooSmall", 400,
              "Your proposed upload is smaller than the minimum allowed size"},
    ErrorInfo{ErrorCode::expired_token, "ExpiredToken", 400, "The provided token has expired."},
    ErrorInfo{
        ErrorCode::incomplete_body, "IncompleteBody", 400,
        "You did not provide the number of bytes specified by the Content-Length HTTP header"},
    ErrorInfo{ErrorCode::internal_error, "InternalError", 500,
              "We encountered an internal error. Please try again."},
    ErrorInfo{ErrorCode::invalid_access_key_id, "InvalidAccessKeyId", 403,
              "The AWS Access Key Id you provided does not exist in our records."},
    ErrorInfo{ErrorCode::invalid_argument, "InvalidArgument", 400, "Invalid Argument"},
    ErrorInfo{ErrorCode::invalid_bucket_name, "InvalidBucketName", 400,
              "The specified bucket is not valid."},
    ErrorInfo{ErrorCode::invalid_digest, "InvalidDigest", 400,
              "The Content-MD5 you specified was invalid."},
    ErrorInfo{ErrorCode::invalid_policy_document, "InvalidPolicyDocument", 400,
              "The content of the form does not meet the conditions specified in the policy "
              "document."},
    ErrorInfo{ErrorCode::invalid_range, "InvalidRange", 416,
              "The requested range is not satisfiable"},
    ErrorInfo{ErrorCode::invalid_request, "InvalidRequest", 400, "Invalid Request"},
    ErrorInfo{ErrorCode::invalid_token, "InvalidToken", 400,
              "The provided token is malformed or otherwise invalid."},
    ErrorInfo{ErrorCode::invalid_uri, "InvalidURI", 400, "Couldn't parse the specified URI."},
    ErrorInfo{ErrorCode::malformed_post_request, "MalformedPOSTRequest", 400,
              "The body of your POST request is not well-formed multipart/form-data."},
    ErrorInfo{ErrorCode::malformed_trailer, "MalformedTrailerError", 400,
              "The request contained trailing data that was not well-formed or did not conform to "
              "our published schema."},
    ErrorInfo{ErrorCode::malformed_xml, "MalformedXML", 400,
              "The XML you provided was not well-formed or did not validate against our published "
              "schema"},
    ErrorInfo{ErrorCode::method_not_allowed, "MethodNotAllowed", 405,
              "The specified method is not allowed against this resource."},
    ErrorInfo{ErrorCode::missing_content_length, "MissingContentLength", 411,
              "You must provide the Content-Length HTTP header."},
    ErrorInfo{ErrorCode::missing_security_header, "MissingSecurityHeader", 400,
              "Your request was missing a required header"},
    ErrorInfo{ErrorCode::no_such_bucket, "NoSuchBucket", 404,
              "The specified bucket does not exist"},
    ErrorInfo{ErrorCode::no_such_key, "NoSuchKey", 404, "The specified key does not exist."},
    ErrorInfo{ErrorCode::not_implemented, "NotImplemented", 501,
              "A header you provided implies functionality that is not implemented"},
    ErrorInfo{ErrorCode::not_modified, "NotModified", 304, "Not Modified"},
    ErrorInfo{ErrorCode::path_style_request_not_allowed, "PathStyleRequestNotAllowed", 400,
              "Path style requests are not allowed"},
    ErrorInfo{ErrorCode::precondition_failed, "PreconditionFailed", 412,
              "At least one of the pre-conditions you specified did not hold"},
    ErrorInfo{ErrorCode::request_header_section_too_large, "RequestHeaderSectionTooLarge", 400,
              "Your request header section exceeds the maximum allowed request header section "
              "size."},
    ErrorInfo{ErrorCode::request_time_too_skewed, "RequestTimeTooSkewed", 403,
              "The difference between the request time and the current time is too large."},
    ErrorInfo{ErrorCode::request_timeout, "RequestTimeout", 400,
              "Your socket connection to the server was not read from or written to within the "
              "timeout period. Idle connections will be closed."},
    ErrorInfo{ErrorCode::service_unavailable, "ServiceUnavailable", 503,
              "Service is unable to handle request."},
    ErrorInfo{
        ErrorCode::signature_does_not_match, "SignatureDoesNotMatch", 403,
        "The request signature we calculated does not match the signature you provided. Check "
        "your key and signing method."},
    ErrorInfo{ErrorCode::slow_down, "SlowDown", 503, "Please reduce your request rate."},
    ErrorInfo{ErrorCode::xamz_content_sha256_mismatch, "XAmzContentSHA256Mismatch", 400,
              "The provided 'x-amz-content-sha256' header does not match what was computed."},
};

/// The table is indexed by the enumeration.
constexpr bool is_in_order() {
  for (std::size_t i = 0; i < kErrors.size(); ++i) {
    if (static_cast<std::size_t>(kErrors[i].code) != i)
      return false;
  }
  return kErrors.size() == static_cast<std::size_t>(ErrorCode::xamz_content_sha256_mismatch) + 1;
}
static_assert(is_in_order());

/// The length of the well-formed UTF-8 sequence (RFC 3629) `text` begins with; 0 where it does not.
std::size_t sequence_length(std::string_view text) {
  const auto at = [text](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const auto within = [](unsigned value, unsigned low, unsigned high) {
    return value >= low && value <= high;
  };
  const unsigned lead = at(0);
  if (lead < 0x80)
    return 1;
  std::size_t length = 0;
  unsigned low = 0x80;
  unsigned high = 0xbf;
  if (within(lead, 0xc2, 0xdf)) {
    length = 2;
  } else if (within(lead, 0xe0, 0xef)) {
    length = 3;
    low = lead == 0xe0 ? 0xa0 : low;    // no overlong forms
    high = lead == 0xed ? 0x9f : high;  // no surrogates
  } else if (within(lead, 0xf0, 0xf4)) {
    length = 4;
    low = lead == 0xf0 ? 0x90 : low;
    high = lead == 0xf4 ? 0x8f : high;  // nothing above U+10FFFF
  } else {
    return 0;
  }
  if (!within(at(1), low, high))
    return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if (!within(at(i), 0x80, 0xbf))
      return 0;
  }
  return length;
}

/// True for the characters XML 1.0 has no way to write (section 2.2).
bool is_unwritable(std::string_view sequence) {
  if (sequence.size() == 1) {
    const auto byte = static_cast<unsigned char>(sequence.front());
    return byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r';
  }
  return sequence == "\xef\xbf\xbe" || sequence == "\xef\xbf\xbf";
}

/// No more than this of anything is echoed: an answer must not cost more than its question.
constexpr std::size_t kEchoMax = 2 * 1024;

std::string printable(std::string_view text) {
  constexpr std::string_view kReplacement = "\xef\xbf\xbd";
  std::string result;
  text = text.substr(0, kEchoMax);
  result.reserve(text.size());
  while (!text.empty()) {
    const auto length = sequence_length(text);
    const auto sequence = text.substr(0, length);
    result += length == 0 || is_unwritable(sequence) ? kReplacement : sequence;
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return result;
}

void append(pugi::xml_node& parent, std::string_view element, std::string_view text) {
  parent.append_child(std::string{element}.c_str())
      .append_child(pugi::node_pcdata)
      .set_value(printable(text).c_str());
}

}  // namespace

const ErrorInfo& info(ErrorCode code) {
  const auto index = static_cast<std::size_t>(code);
  ASSERT(index < kErrors.size());
  return kErrors[index];
}

std::string to_xml(const Failure& failure, std::string_view resource, std::string_view request_id) {
  pugi::xml_document document;
  auto declaration = document.append_child(pugi::node_declaration);
  declaration.append_attribute("version") = "1.0";
  declaration.append_attribute("encoding") = "UTF-8";
  auto root = document.append_child("Error");
  append(root, "Code", info(failure.code).name);
  append(root, "Message", failure.message);
  for (const auto& [element, text] : failure.fields)
    append(root, element, text);
  append(root, "Resource", resource);
  append(root, "RequestId", request_id);
  std::ostringstream out;
  document.save(out, "", pugi::format_raw, pugi::encoding_utf8);
  return std::move(out).str();
}

std::optional<std::string> error_field(std::string_view xml, const char* name) {
  pugi::xml_document document;
  if (!document.load_buffer(xml.data(), xml.size(), pugi::parse_default, pugi::encoding_utf8))
    return std::nullopt;
  std::string value = document.child("Error").child_value(name);
  if (value.empty())
    return std::nullopt;
  return value;
}

std::string request_id(std::uint64_t random) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string id(16, '0');
  for (auto digit = id.rbegin(); digit != id.rend(); ++digit, random >>= 4)
    *digit = kDigits[random & 15];
  return id;
}

}  // namespace forebay::s3
