#pragma once
// The aws-chunked encoding of streamed bodies, both ways. It lies inside HTTP's own framing. Amazon
// S3 API Reference, "Transferring Payload in Multiple Chunks", and "Checking object integrity"
// for trailers. Pure.
#include <forebay/http/message.hpp>
#include <forebay/s3/checksum.hpp>
#include <forebay/s3/chunk_signer.hpp>
#include <forebay/s3/error.hpp>
#include <forebay/s3/sha256.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace forebay::s3 {

/// Takes the framing out of a body that arrives piece by piece, and checks chunk signatures.
class AwsChunkedDecoder {
 public:
  static constexpr std::size_t kLineMax = 1024;
  static constexpr std::size_t kTrailersMax = 8;

  struct Expected {
    std::uint64_t decoded_length = 0;   ///< x-amz-decoded-content-length
    std::optional<ChunkSigner> signer;  ///< Of the client; none where chunks are not signed.
    bool has_trailers = false;
  };

  explicit AwsChunkedDecoder(Expected expected);

  /// Moves the data in `bytes` to its front and returns it. incomplete_body for framing that is
  /// none, or for more data than announced; signature_does_not_match as soon as a chunk is whole
  /// and was not signed by the caller. After an error nothing more may be fed.
  Outcome<std::span<std::byte>> decode(std::span<std::byte> bytes);
  /// The body has ended. incomplete_body where chunks or announced bytes are missing,
  /// malformed_trailer where trailers are unsigned or unasked for, signature_does_not_match.
  Outcome<void> finish();
  /// After finish(): the trailing fields, without their signature.
  const http::Headers& trailers() const { return trailers_; }

 private:
  enum class State { chunk_head, data, data_end, trailers };

  Outcome<void> end_line();
  Outcome<void> begin_chunk(std::string_view line);
  Outcome<void> end_chunk();
  Outcome<void> add_trailer(std::string_view line);
  Outcome<void> check_trailer_signature();

  Expected expected_;
  State state_ = State::chunk_head;
  std::string line_;              ///< What has come of a line; its '\n' is never kept.
  std::uint64_t chunk_left_ = 0;  ///< Data bytes of this chunk still to come.
  std::uint64_t decoded_ = 0;
  std::string signature_;  ///< Of this chunk, as the client says.
  Sha256 hash_;            ///< Of this chunk's data, where chunks are signed.
  http::Headers trailers_;
  std::optional<std::string> trailer_signature_;
};

/// How a body goes to the origin.
enum class PayloadForm {
  plain,                  ///< As it is.
  signed_chunks,          ///< STREAMING-AWS4-HMAC-SHA256-PAYLOAD
  signed_with_trailer,    ///< STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER
  unsigned_with_trailer,  ///< STREAMING-UNSIGNED-PAYLOAD-TRAILER
};

/// Whether its chunks are signed.
bool is_signed(PayloadForm form);

/// Frames a body, all of whose chunks but the last are kChunkSize long.
class AwsChunkedEncoder {
 public:
  static constexpr std::size_t kChunkSize = 64 * 1024;
  /// No chunk_head() is longer.
  static constexpr std::size_t kHeadMax = 112;
  static constexpr std::string_view kChunkEnd = "\r\n";

  /// `form` is not plain; `signer` belongs to the request toward the origin where it is signed.
  AwsChunkedEncoder(PayloadForm form, std::optional<ChunkSigner> signer);

  /// What goes before `data`; kChunkEnd goes behind it. `data` is not empty.
  std::string chunk_head(std::span<const std::byte> data);
  /// What ends the body, trailers included.
  std::string end(const http::Headers& trailers);

  /// Bytes of the encoded body of `decoded_length` bytes with trailers that take
  /// `trailers_size` bytes (see trailer_size).
  static std::uint64_t encoded_length(PayloadForm form, std::uint64_t decoded_length,
                                      std::size_t trailers_size);
  /// Bytes that the checksum in that field takes as a trailer.
  static std::size_t trailer_size(std::string_view field, ChecksumAlgorithm algorithm);

 private:
  PayloadForm form_;
  std::optional<ChunkSigner> signer_;
};

}  // namespace forebay::s3
