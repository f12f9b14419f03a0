#pragma once
// The canonical request, the string to sign and the signature of SigV4, as S3 defines them: the
// path is encoded once and never normalised. Amazon S3 API Reference, "Signature Calculations for
// the Authorization Header".
#include "s3/sha256_state.hpp"

#include <forebay/http/message.hpp>
#include <forebay/s3/error.hpp>
#include <forebay/s3/sha256.hpp>

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace forebay::s3 {

inline constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
inline constexpr std::string_view kService = "s3";
inline constexpr std::string_view kTerminator = "aws4_request";

/// "YYYYMMDD/region/s3/aws4_request"
std::string credential_scope(std::string_view date, std::string_view region);

/// "AKID/YYYYMMDD/region/s3/aws4_request", taken apart.
struct CredentialScope {
  std::string access_key;
  std::string date;
  std::string region;
};
Outcome<CredentialScope> parse_credential_scope(std::string_view text);

/// `names` joined by ';', the form of SignedHeaders.
std::string join_names(const std::vector<std::string>& names);

/// The fields of a request in the order of their names, so that what is asked of each name costs
/// no pass over all. Refers to the headers, which must not change.
class FieldIndex {
 public:
  explicit FieldIndex(const http::Headers& headers);

  struct Entry {
    std::string name;       ///< Lower case.
    std::size_t index = 0;  ///< Among all fields.
    std::string_view value;
  };
  /// The fields of that name (lower case), in the order in which they came.
  std::span<const Entry> find(std::string_view name) const;
  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }

 private:
  std::vector<Entry> entries_;
};

/// A canonical request on its way into a hash. Only its beginning is kept, for error messages.
class CanonicalRequest {
 public:
  static constexpr std::size_t kKept = 4 * 1024;

  CanonicalRequest();
  CanonicalRequest& append(std::string_view text);
  /// The SHA-256 of all that was appended, in hexadecimal. Ends the computation.
  std::string finish();
  /// The first kKept bytes.
  const std::string& beginning() const { return kept_; }

 private:
  std::string kept_;
  std::optional<Sha256> hash_;  ///< Of everything so far, once that is more than kKept.
};

/// invalid_uri where the target does not decode. Names in `signed_headers` are lower case; a field
/// that the request lacks has an empty value.
Outcome<CanonicalRequest> canonical_request(const http::RequestHead& request,
                                            const FieldIndex& fields,
                                            const std::vector<std::string>& signed_headers,
                                            std::string_view payload_hash);

/// `canonical_sha256` is what CanonicalRequest::finish() gave.
std::string string_to_sign(std::string_view canonical_sha256, std::chrono::sys_seconds time,
                           std::string_view region);

/// The signing key of that secret, day (YYYYMMDD) and region. Derived keys are cached per thread.
HmacKey derived_key(std::string_view secret_key, std::string_view date, std::string_view region);

/// The signature, in hexadecimal, under the key derived from `secret_key` and the scope.
std::string signature(std::string_view secret_key, std::string_view date, std::string_view region,
                      std::string_view string_to_sign);

/// "2013-05-24T00:00:00Z", as in error bodies.
std::string format_iso_date(std::chrono::sys_seconds time);

/// How long it takes says nothing of where `a` and `b` differ.
bool is_equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace forebay::s3
