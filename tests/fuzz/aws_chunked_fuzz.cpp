// aws-chunked bodies: what one means must not depend on how it arrives, nobody's chunks pass for
// another's, and what this node frames is read back.
#include "entry.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/s3/aws_chunked.hpp>
#include <forebay/s3/sigv4.hpp>

#include <optional>

namespace forebay::fuzz {
namespace {

using s3::AwsChunkedDecoder;
using s3::AwsChunkedEncoder;
using s3::PayloadForm;

struct Decoded {
  std::optional<s3::ErrorCode> error;
  std::string data;
  http::Headers trailers;
};

s3::ChunkSigner signer() {
  return {"a secret that no seed is signed with", s3::sys_seconds{std::chrono::seconds{1369353600}},
          "us-east-1", std::string(64, '0')};
}

AwsChunkedDecoder::Expected expected(PayloadForm form, std::uint64_t length) {
  AwsChunkedDecoder::Expected result;
  result.decoded_length = length;
  if (s3::is_signed(form))
    result.signer = signer();
  result.has_trailers = form != PayloadForm::signed_chunks;
  return result;
}

Decoded decode(AwsChunkedDecoder::Expected what, std::string body, std::size_t piece) {
  AwsChunkedDecoder decoder{std::move(what)};
  Decoded result;
  for (std::size_t at = 0; at < body.size(); at += piece) {
    const auto rest = std::as_writable_bytes(std::span{body}).subspan(at);
    const auto fed = rest.first(std::min(piece, rest.size()));
    const auto data = decoder.decode(fed);
    if (!data) {
      result.error = data.error().code;
      return result;
    }
    ASSERT(data.value().size() <= fed.size());
    result.data.append(reinterpret_cast<const char*>(data.value().data()), data.value().size());
  }
  const auto finished = decoder.finish();
  if (!finished)
    result.error = finished.error().code;
  result.trailers = decoder.trailers();
  return result;
}

std::string encode(PayloadForm form, std::string_view data) {
  std::optional<s3::ChunkSigner> chunk_signer;
  if (s3::is_signed(form))
    chunk_signer = signer();
  AwsChunkedEncoder encoder{form, std::move(chunk_signer)};
  std::string body;
  if (!data.empty())
    body = encoder.chunk_head(bytes_of(data)).append(data).append(AwsChunkedEncoder::kChunkEnd);
  http::Headers trailers;
  if (form != PayloadForm::signed_chunks)
    trailers.add("x-amz-checksum-crc32", "AAAAAA==");
  const auto trailers_size =
      trailers.size() *
      AwsChunkedEncoder::trailer_size("x-amz-checksum-crc32", s3::ChecksumAlgorithm::crc32);
  body += encoder.end(trailers);
  ASSERT(body.size() == AwsChunkedEncoder::encoded_length(form, data.size(), trailers_size));
  return body;
}

void check_body(PayloadForm form, std::string_view body, std::uint64_t length, std::size_t piece) {
  const Decoded whole = decode(expected(form, length), std::string{body}, body.size() + 1);
  const Decoded pieces = decode(expected(form, length), std::string{body}, piece);
  ASSERT(whole.error == pieces.error);
  ASSERT(whole.data.size() <= length && pieces.data.size() <= length);
  if (whole.error)
    return;
  // Only who knows the secret ends a chunk, the last and empty one included.
  ASSERT(!s3::is_signed(form));
  ASSERT(whole.data.size() == length && whole.data == pieces.data);
  ASSERT(same_fields(whole.trailers, pieces.trailers));
}

}  // namespace

void check(std::string_view input) {
  constexpr PayloadForm kForms[] = {PayloadForm::signed_chunks, PayloadForm::signed_with_trailer,
                                    PayloadForm::unsigned_with_trailer};
  const std::size_t piece = 1 + take_byte(input) % 16;
  const std::size_t length = take_byte(input);
  for (const PayloadForm form : kForms) {
    check_body(form, input, length, piece);
    const Decoded own = decode(expected(form, input.size()), encode(form, input), piece);
    ASSERT(!own.error && own.data == input);
    ASSERT(own.trailers.size() == (form == PayloadForm::signed_chunks ? 0U : 1U));
  }
}

}  // namespace forebay::fuzz
