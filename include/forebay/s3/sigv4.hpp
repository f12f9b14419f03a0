#pragma once
// AWS Signature Version 4 for S3: reading, verifying, and signing anew for the origin.
// Amazon S3 API Reference, "Authenticating Requests (AWS Signature Version 4)". Time is an
// argument; nothing here does I/O. Any thread: the cache of derived keys is per thread and bounded.
#include <forebay/base/secret.hpp>
#include <forebay/http/message.hpp>
#include <forebay/s3/error.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace forebay::s3 {

using std::chrono::sys_seconds;

inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";
/// The SHA-256 of no bytes.
inline constexpr std::string_view kEmptyPayload =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
inline constexpr std::chrono::seconds kMaxSkew = std::chrono::minutes{15};
inline constexpr std::chrono::seconds kMaxExpires{604800};

struct Credential {
  std::string access_key;
  Secret secret_key;
  Secret session_token;  ///< "" for none.
};

/// How a request says who sends it. Nothing is checked but which of the forms it has.
enum class AuthScheme {
  anonymous,
  sigv4_header,
  sigv4_presigned,
  sigv2,        ///< "AWS key:signature", or ?AWSAccessKeyId=&Signature=&Expires=
  sigv4a,       ///< AWS4-ECDSA-P256-SHA256
  unsupported,  ///< Another algorithm or another scheme.
  ambiguous,    ///< More than one at once.
};
AuthScheme auth_scheme(const http::RequestHead& request);

/// How a request is authorised: well-formed, but not verified. All fields are SigV4's own unless
/// they say otherwise.
struct Authorization {
  enum class Kind {
    header,
    presigned,
    presigned_v2,  ///< SigV2 by query (sigv2.hpp); `timestamp` is when it expires.
    anonymous,     ///< Only `payload_hash` is set.
    passed_on,     ///< Not for this node to look at; nothing is set.
  };

  Kind kind = Kind::header;
  std::string access_key;
  std::string date;  ///< YYYYMMDD of the credential scope; the day of `timestamp`.
  std::string region;
  /// Lower case, in the client's order, each once, at most 64.
  std::vector<std::string> signed_headers;
  std::string signature;
  sys_seconds timestamp;
  std::chrono::seconds expires{0};  ///< Presigned only.
  std::string payload_hash;         ///< The last line of the canonical request; see payload_mode.
  std::string session_token;        ///< "" for none.
};

/// Reads the authorisation of a request in one of the SigV4 forms or presigned by SigV2. An
/// anonymous one is an Authorization, too. Every other scheme, a malformed value and a missing one
/// give the error AWS gives.
Outcome<Authorization> parse_authorization(const http::RequestHead& request);

/// Proves that the holder of `secret_key` signed exactly this request, now. `authorization` must
/// come from parse_authorization of the same request, which must be as the client sent it, Host
/// included. nullopt where all is well; else request_time_too_skewed, access_denied (expired, not
/// yet valid, fields left unsigned) or signature_does_not_match (also where a signed field was not
/// sent). The signature is compared in constant time.
std::optional<Failure> verify(const http::RequestHead& request, const Authorization& authorization,
                              std::string_view secret_key, sys_seconds now,
                              std::chrono::seconds max_skew = kMaxSkew);

/// Signs `request` by the Authorization field. Host must already be the origin's. What it held of
/// Authorization, Date, x-amz-date, x-amz-security-token and x-amz-content-sha256 is replaced; the
/// target is re-encoded strictly, without parameters of a presigned URL. Signed are host, every
/// x-amz-*, content-type, content-md5, range and if-*: those must not change afterwards; other
/// fields may. The target must decode.
/// Returns the signature, from which chunks of the body go on (chunk_signer.hpp).
std::string sign(http::RequestHead& request, const Credential& credential, std::string_view region,
                 std::string_view payload_hash, sys_seconds now);

/// The parameters that make a URL a presigned one, SigV2's included.
bool is_auth_parameter(std::string_view name);

struct PresignParams {
  sys_seconds timestamp;
  std::chrono::seconds expires{0};
  std::vector<std::string> signed_headers;  ///< Lower case; host is added where missing.
  std::string payload_hash{kUnsignedPayload};
};

/// Signs `request` by query parameters, replacing those and any Authorization it held. The target
/// is re-encoded strictly and must decode; Host must already be the origin's. Signed are host,
/// content-type, every x-amz-* that is sent (newer Ceph refuses what leaves one out), and those of
/// params.signed_headers that the request has.
void presign(http::RequestHead& request, const Credential& credential, std::string_view region,
             const PresignParams& params);
/// What came presigned leaves presigned: date, expiry, fields and payload hash are the caller's.
/// What SigV2 presigned, which newer regions do not know, is presigned from now until it expires.
PresignParams presign_params(const Authorization& caller, sys_seconds now);

/// What an x-amz-content-sha256 value says about the body.
enum class PayloadMode {
  absent,
  sha256,                      ///< 64 hexadecimal digits: the body's hash.
  unsigned_payload,            ///< UNSIGNED-PAYLOAD
  streaming_signed,            ///< STREAMING-AWS4-HMAC-SHA256-PAYLOAD
  streaming_signed_trailer,    ///< STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER
  streaming_unsigned_trailer,  ///< STREAMING-UNSIGNED-PAYLOAD-TRAILER
  streaming_other,             ///< Any other STREAMING-*
  malformed,                   ///< invalid_argument
};
PayloadMode payload_mode(std::string_view value);

/// "20130524T000000Z"
std::string format_amz_date(sys_seconds time);
std::optional<sys_seconds> parse_amz_date(std::string_view text);

}  // namespace forebay::s3
