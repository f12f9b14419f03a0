#pragma once
// What a request's head promises of its body, and whether the body keeps it. Pure.
#include <forebay/http/message.hpp>
#include <forebay/s3/aws_chunked.hpp>
#include <forebay/s3/checksum.hpp>
#include <forebay/s3/error.hpp>
#include <forebay/s3/operation.hpp>
#include <forebay/s3/sigv4.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace forebay::s3 {

/// Everything a body is checked against. All of it must hold.
struct PayloadClaims {
  struct Sum {
    ChecksumAlgorithm algorithm;
    std::string value;  ///< In base64; empty where a trailer is to bring it.
  };

  PayloadMode mode = PayloadMode::absent;
  std::string sha256;                 ///< In lower-case hexadecimal; only where `mode` is sha256.
  std::uint64_t decoded_length = 0;   ///< Only where the body is aws-chunked.
  std::vector<Sum> sums;              ///< Content-MD5 and x-amz-checksum-*, fields and trailers.
  std::vector<std::string> trailers;  ///< Names that x-amz-trailer announces, in lower case.

  bool is_chunked() const;
  bool is_signed_by_chunk() const;
  bool has_trailers() const;
};

/// Reads the claims of a request whose body was signed as `payload_hash` (the last line of the
/// canonical request). invalid_digest, invalid_request, missing_content_length for values that are
/// none, not_implemented for streaming modes beyond SigV4.
Outcome<PayloadClaims> payload_claims(const http::RequestHead& request, Operation operation,
                                      std::string_view payload_hash);

/// Checks a body that passes by.
class PayloadVerifier {
 public:
  /// `signer` continues the signature of the client's request; only for bodies signed by chunk.
  PayloadVerifier(PayloadClaims claims, std::optional<ChunkSigner> signer);

  /// Data of the next piece of the body: its framing is taken out in place. An error is the
  /// answer to give, and the end.
  Outcome<std::span<std::byte>> take(std::span<std::byte> bytes);
  /// The body has ended: whether all claims hold.
  Outcome<void> finish();
  /// After finish(): what came behind an aws-chunked body.
  const http::Headers& trailers() const;

 private:
  struct Running {
    Checksum checksum;
    PayloadClaims::Sum claim;
  };

  PayloadClaims claims_;
  std::optional<AwsChunkedDecoder> decoder_;
  std::optional<Sha256> sha256_;
  std::vector<Running> sums_;
};

/// What to do about trailers toward the origin (`origin.trailers`).
enum class TrailerPolicy { keep, strip };

/// The form in which a body with these claims goes to the origin.
PayloadForm origin_form(const PayloadClaims& claims, TrailerPolicy policy);

/// Prepares the head of a request whose body was aws-chunked for `form`: lengths, codings and
/// trailers announced. Returns the value of x-amz-content-sha256 to sign.
std::string_view frame_for_origin(const PayloadClaims& claims, PayloadForm form,
                                  http::RequestHead& request);

}  // namespace forebay::s3
