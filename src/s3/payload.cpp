#include <forebay/base/assert.hpp>
#include <forebay/http/header_rules.hpp>
#include <forebay/s3/payload.hpp>

#include <algorithm>
#include <utility>

namespace forebay::s3 {
namespace {

using BOOST_OUTCOME_V2_NAMESPACE::success;

/// Operations whose x-amz-checksum-* fields are of something else than the request's body: of the
/// object that its parts make, or of the copy.
bool has_checksums_of_its_own(Operation operation) {
  switch (operation) {
    case Operation::complete_multipart_upload:
    case Operation::create_multipart_upload:
    case Operation::copy_object:
    case Operation::upload_part_copy:
    case Operation::post_object:
    case Operation::other:
      return true;
    default:
      return false;
  }
}

Failure mismatch(ChecksumAlgorithm algorithm) {
  if (algorithm == ChecksumAlgorithm::md5)
    return Failure{ErrorCode::bad_digest};
  return Failure{ErrorCode::bad_digest,
                 "The " + std::string{name(algorithm)} +
                     " you specified did not match the calculated checksum."};
}

Outcome<void> add_sum(PayloadClaims& claims, const http::Headers::Field& field,
                      Operation operation) {
  const auto algorithm = checksum_of_field(field.name);
  if (!algorithm || (*algorithm != ChecksumAlgorithm::md5 && has_checksums_of_its_own(operation)))
    return success();
  if (!is_digest(*algorithm, field.value)) {
    if (*algorithm == ChecksumAlgorithm::md5)
      return Failure{ErrorCode::invalid_digest,
                     std::string{info(ErrorCode::invalid_digest).message},
                     {{"Content-MD5", field.value}}};
    return Failure{ErrorCode::invalid_request,
                   "Value for " + http::to_lower(field.name) + " header is invalid."};
  }
  claims.sums.push_back({*algorithm, field.value});
  return success();
}

std::vector<std::string> split_names(std::string_view text) {
  std::vector<std::string> names;
  while (!text.empty()) {
    const auto comma = text.find(',');
    auto name = text.substr(0, comma);
    name.remove_prefix(std::min(name.find_first_not_of(' '), name.size()));
    name = name.substr(0, name.find_last_not_of(' ') + 1);
    if (!name.empty())
      names.emplace_back(name);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return names;
}

Outcome<void> add_trailers(PayloadClaims& claims, const http::Headers& headers) {
  for (const auto& field : headers) {
    if (!http::iequals(field.name, "x-amz-trailer"))
      continue;
    for (const std::string& name : split_names(field.value)) {
      const auto algorithm = checksum_of_field(name);
      if (!algorithm || *algorithm == ChecksumAlgorithm::md5)
        return Failure{ErrorCode::invalid_request,
                       "The value specified in the x-amz-trailer header is not supported"};
      claims.sums.push_back({*algorithm, ""});
      claims.trailers.push_back(http::to_lower(name));
    }
  }
  return success();
}

Outcome<void> add_decoded_length(PayloadClaims& claims, const http::Headers& headers) {
  const auto value = headers.get("x-amz-decoded-content-length");
  if (!value)
    return Failure{ErrorCode::missing_content_length};
  const auto length = http::parse_content_length(*value);
  if (!length || headers.count("x-amz-decoded-content-length") > 1)
    return Failure{
        ErrorCode::invalid_argument,
        "The decoded content length is not a number.",
        {{"ArgumentName", "x-amz-decoded-content-length"}, {"ArgumentValue", std::string{*value}}}};
  claims.decoded_length = length.value();
  return success();
}

/// Content-Encoding without its aws-chunked, which ends where the framing is taken out.
void remove_aws_chunked(http::Headers& headers) {
  std::string rest;
  for (const auto& field : headers) {
    if (!http::iequals(field.name, "Content-Encoding"))
      continue;
    for (const std::string& coding : split_names(field.value)) {
      if (!http::iequals(coding, "aws-chunked"))
        rest.append(rest.empty() ? "" : ",").append(coding);
    }
  }
  headers.remove("Content-Encoding");
  if (!rest.empty())
    headers.add("Content-Encoding", rest);
}

}  // namespace

bool PayloadClaims::is_chunked() const {
  return is_signed_by_chunk() || mode == PayloadMode::streaming_unsigned_trailer;
}

bool PayloadClaims::is_signed_by_chunk() const {
  return mode == PayloadMode::streaming_signed || mode == PayloadMode::streaming_signed_trailer;
}

bool PayloadClaims::has_trailers() const {
  return mode == PayloadMode::streaming_signed_trailer ||
         mode == PayloadMode::streaming_unsigned_trailer;
}

Outcome<PayloadClaims> payload_claims(const http::RequestHead& request, Operation operation,
                                      std::string_view payload_hash) {
  PayloadClaims claims;
  claims.mode = payload_mode(payload_hash);
  if (claims.mode == PayloadMode::streaming_other)
    return Failure{ErrorCode::not_implemented,
                   "The payload mode " + std::string{payload_hash} + " is not implemented."};
  ASSERT(claims.mode != PayloadMode::malformed);
  if (claims.mode == PayloadMode::sha256)
    claims.sha256 = http::to_lower(payload_hash);
  if (claims.is_chunked()) {
    TRY(add_decoded_length(claims, request.headers));
  }
  for (const auto& field : request.headers) {
    TRY(add_sum(claims, field, operation));
  }
  if (claims.has_trailers()) {
    TRY(add_trailers(claims, request.headers));
  }
  return claims;
}

PayloadVerifier::PayloadVerifier(PayloadClaims claims, std::optional<ChunkSigner> signer)
    : claims_{std::move(claims)} {
  ASSERT(claims_.is_signed_by_chunk() == signer.has_value());
  if (claims_.is_chunked())
    decoder_.emplace(AwsChunkedDecoder::Expected{.decoded_length = claims_.decoded_length,
                                                 .signer = std::move(signer),
                                                 .has_trailers = claims_.has_trailers()});
  if (claims_.mode == PayloadMode::sha256)
    sha256_.emplace();
  for (const PayloadClaims::Sum& sum : claims_.sums)
    sums_.push_back({Checksum{sum.algorithm}, sum});
}

Outcome<std::span<std::byte>> PayloadVerifier::take(std::span<std::byte> bytes) {
  if (decoder_) {
    TRY(bytes, decoder_->decode(bytes));
  }
  if (sha256_)
    sha256_->update(bytes);
  for (Running& sum : sums_)
    sum.checksum.update(bytes);
  return bytes;
}

Outcome<void> PayloadVerifier::finish() {
  if (decoder_) {
    TRY(decoder_->finish());
    if (trailers().size() != claims_.trailers.size())
      return Failure{ErrorCode::malformed_trailer};
  }
  if (sha256_ && sha256_->finish_hex() != claims_.sha256)
    return Failure{ErrorCode::xamz_content_sha256_mismatch};
  std::size_t announced = 0;
  for (Running& sum : sums_) {
    std::string claim = sum.claim.value;
    if (claim.empty()) {
      const auto brought = trailers().get(claims_.trailers[announced++]);
      if (!brought || !is_digest(sum.claim.algorithm, *brought))
        return Failure{ErrorCode::malformed_trailer};
      claim = *brought;
    }
    if (sum.checksum.finish() != claim)
      return mismatch(sum.claim.algorithm);
  }
  return success();
}

const http::Headers& PayloadVerifier::trailers() const {
  static const http::Headers kNone;
  return decoder_ ? decoder_->trailers() : kNone;
}

PayloadForm origin_form(const PayloadClaims& claims, TrailerPolicy policy) {
  const bool keeps = policy == TrailerPolicy::keep;
  switch (claims.mode) {
    case PayloadMode::streaming_signed:
      return PayloadForm::signed_chunks;
    case PayloadMode::streaming_signed_trailer:
      return keeps ? PayloadForm::signed_with_trailer : PayloadForm::signed_chunks;
    case PayloadMode::streaming_unsigned_trailer:
      return keeps ? PayloadForm::unsigned_with_trailer : PayloadForm::plain;
    default:
      return PayloadForm::plain;
  }
}

std::string_view frame_for_origin(const PayloadClaims& claims, PayloadForm form,
                                  http::RequestHead& request) {
  http::Headers& headers = request.headers;
  headers.remove("Transfer-Encoding");
  std::size_t trailers_size = 0;
  for (const std::string& trailer : claims.trailers)
    trailers_size += AwsChunkedEncoder::trailer_size(trailer, *checksum_of_field(trailer));
  const bool has_trailers =
      form == PayloadForm::signed_with_trailer || form == PayloadForm::unsigned_with_trailer;
  if (!has_trailers) {
    headers.remove("x-amz-trailer");
    if (claims.has_trailers())
      headers.remove("x-amz-sdk-checksum-algorithm");
  }
  std::uint64_t length = claims.decoded_length;
  if (form == PayloadForm::plain) {
    headers.remove("x-amz-decoded-content-length");
    remove_aws_chunked(headers);
  } else {
    length = AwsChunkedEncoder::encoded_length(form, length, trailers_size);
  }
  headers.set("Content-Length", std::to_string(length));
  switch (form) {
    case PayloadForm::signed_chunks:
      return "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
    case PayloadForm::signed_with_trailer:
      return "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
    case PayloadForm::unsigned_with_trailer:
      return "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
    default:
      return kUnsignedPayload;
  }
}

}  // namespace forebay::s3
