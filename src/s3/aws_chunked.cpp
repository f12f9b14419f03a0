#include "s3/sigv4_canonical.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/http/header_rules.hpp>
#include <forebay/s3/aws_chunked.hpp>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace forebay::s3 {
namespace {

constexpr std::string_view kSignatureName = "chunk-signature=";
constexpr std::string_view kTrailerSignatureName = "x-amz-trailer-signature";
constexpr std::size_t kSignatureSize = 64;

Failure malformed() {
  return Failure{ErrorCode::incomplete_body,
                 "The chunks of the request body are malformed or end too early."};
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::string canonical_trailers(const http::Headers& trailers) {
  std::string text;
  for (const auto& field : trailers)
    text.append(http::to_lower(field.name)).append(":").append(field.value).append("\n");
  return text;
}

}  // namespace

AwsChunkedDecoder::AwsChunkedDecoder(Expected expected) : expected_{std::move(expected)} {}

Outcome<std::span<std::byte>> AwsChunkedDecoder::decode(std::span<std::byte> bytes) {
  std::size_t kept = 0;
  for (std::size_t at = 0; at < bytes.size();) {
    if (state_ == State::data) {
      const auto size =
          static_cast<std::size_t>(std::min<std::uint64_t>(chunk_left_, bytes.size() - at));
      const auto piece = bytes.subspan(at, size);
      if (expected_.signer)
        hash_.update(piece);
      std::memmove(bytes.data() + kept, piece.data(), size);
      kept += size;
      at += size;
      chunk_left_ -= size;
      if (chunk_left_ == 0)
        state_ = State::data_end;
      continue;
    }
    const char c = static_cast<char>(bytes[at++]);
    if (c != '\n') {
      line_ += c;
      if (line_.size() > kLineMax)
        return malformed();
      continue;
    }
    if (line_.ends_with('\r'))
      line_.pop_back();
    TRY(end_line());
    line_.clear();
  }
  return bytes.first(kept);
}

Outcome<void> AwsChunkedDecoder::end_line() {
  switch (state_) {
    case State::chunk_head:
      return begin_chunk(line_);
    case State::data_end:
      if (!line_.empty())
        return malformed();
      state_ = State::chunk_head;
      return end_chunk();
    default:
      return add_trailer(line_);
  }
}

/// "<hexadecimal length>[;chunk-signature=<signature>]"
Outcome<void> AwsChunkedDecoder::begin_chunk(std::string_view line) {
  const auto [end, ec] = std::from_chars(line.data(), line.data() + line.size(), chunk_left_, 16);
  if (ec != std::errc{} || chunk_left_ > expected_.decoded_length - decoded_)
    return malformed();
  decoded_ += chunk_left_;
  line.remove_prefix(static_cast<std::size_t>(end - line.data()));
  line = trim(line);
  if (!line.empty() && !line.starts_with(';'))
    return malformed();
  if (expected_.signer) {
    line = trim(line.substr(std::min<std::size_t>(1, line.size())));
    if (!line.starts_with(kSignatureName))
      return malformed();
    signature_ = line.substr(kSignatureName.size());
  }
  state_ = State::data;
  if (chunk_left_ == 0) {
    state_ = State::trailers;
    return end_chunk();
  }
  return BOOST_OUTCOME_V2_NAMESPACE::success();
}

Outcome<void> AwsChunkedDecoder::end_chunk() {
  if (!expected_.signer)
    return BOOST_OUTCOME_V2_NAMESPACE::success();
  const std::string digest = std::exchange(hash_, Sha256{}).finish_hex();
  if (!is_equal_in_constant_time(expected_.signer->sign_chunk(digest), signature_))
    return Failure{ErrorCode::signature_does_not_match};
  return BOOST_OUTCOME_V2_NAMESPACE::success();
}

/// "name:value"; clients differ in where they put empty lines.
Outcome<void> AwsChunkedDecoder::add_trailer(std::string_view line) {
  if (line.empty())
    return BOOST_OUTCOME_V2_NAMESPACE::success();
  const auto colon = line.find(':');
  if (!expected_.has_trailers || colon == std::string_view::npos || trailer_signature_ ||
      trailers_.size() == kTrailersMax)
    return Failure{ErrorCode::malformed_trailer};
  const auto name = line.substr(0, colon);
  const auto value = trim(line.substr(colon + 1));
  if (http::iequals(name, kTrailerSignatureName)) {
    trailer_signature_ = value;
    return BOOST_OUTCOME_V2_NAMESPACE::success();
  }
  trailers_.add(std::string{name}, std::string{value});
  if (http::check_fields(trailers_))
    return Failure{ErrorCode::malformed_trailer};
  return BOOST_OUTCOME_V2_NAMESPACE::success();
}

Outcome<void> AwsChunkedDecoder::finish() {
  if (state_ != State::trailers || !line_.empty() || decoded_ != expected_.decoded_length)
    return malformed();
  if (!expected_.has_trailers || !expected_.signer)
    return BOOST_OUTCOME_V2_NAMESPACE::success();
  return check_trailer_signature();
}

Outcome<void> AwsChunkedDecoder::check_trailer_signature() {
  if (!trailer_signature_)
    return Failure{ErrorCode::malformed_trailer};
  const auto& wanted = expected_.signer->sign_trailers(canonical_trailers(trailers_));
  if (!is_equal_in_constant_time(wanted, *trailer_signature_))
    return Failure{ErrorCode::signature_does_not_match};
  return BOOST_OUTCOME_V2_NAMESPACE::success();
}

bool is_signed(PayloadForm form) {
  return form == PayloadForm::signed_chunks || form == PayloadForm::signed_with_trailer;
}

AwsChunkedEncoder::AwsChunkedEncoder(PayloadForm form, std::optional<ChunkSigner> signer)
    : form_{form}, signer_{std::move(signer)} {
  ASSERT(form != PayloadForm::plain && is_signed(form) == signer_.has_value());
}

std::string AwsChunkedEncoder::chunk_head(std::span<const std::byte> data) {
  if (!is_signed(form_))
    return fmt::format("{:x}\r\n", data.size());
  Sha256 hash;
  hash.update(data);
  return fmt::format("{:x};{}{}\r\n", data.size(), kSignatureName,
                     signer_->sign_chunk(hash.finish_hex()));
}

std::string AwsChunkedEncoder::end(const http::Headers& trailers) {
  std::string text = chunk_head({});
  if (form_ != PayloadForm::signed_chunks) {
    for (const auto& field : trailers)
      text.append(http::to_lower(field.name)).append(":").append(field.value).append("\r\n");
  }
  if (form_ == PayloadForm::signed_with_trailer)
    text.append(kTrailerSignatureName)
        .append(":")
        .append(signer_->sign_trailers(canonical_trailers(trailers)))
        .append("\r\n");
  return text.append("\r\n");
}

std::uint64_t AwsChunkedEncoder::encoded_length(PayloadForm form, std::uint64_t decoded_length,
                                                std::size_t trailers_size) {
  const std::size_t signature =
      form == PayloadForm::unsigned_with_trailer ? 0 : 1 + kSignatureName.size() + kSignatureSize;
  const auto framed = [signature](std::uint64_t size) {
    return fmt::formatted_size("{:x}", size) + signature + 2 + size + kChunkEnd.size();
  };
  const std::uint64_t rest = decoded_length % kChunkSize;
  std::uint64_t length = decoded_length / kChunkSize * framed(kChunkSize);
  if (rest != 0)
    length += framed(rest);
  length += framed(0);
  if (form != PayloadForm::signed_chunks)
    length += trailers_size;
  if (form == PayloadForm::signed_with_trailer)
    length += kTrailerSignatureName.size() + 1 + kSignatureSize + 2;
  return length;
}

std::size_t AwsChunkedEncoder::trailer_size(std::string_view field, ChecksumAlgorithm algorithm) {
  return field.size() + 1 + encoded_size(algorithm) + 2;
}

}  // namespace forebay::s3
