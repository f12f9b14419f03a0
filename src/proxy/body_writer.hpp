#pragma once
// A client's body on its way to the origin: held back by one piece, framed anew where it must be.
#include <forebay/origin/client.hpp>
#include <forebay/s3/aws_chunked.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace forebay::proxy {

/// One body. The piece that came last stays here until finish(), so that an origin never holds a
/// whole body before its last claim is proven. The exchange must outlive it.
class BodyWriter {
 public:
  BodyWriter(origin::Exchange& exchange, s3::PayloadForm form,
             std::optional<s3::ChunkSigner> signer, milliseconds progress);

  /// Where the next bytes of the body go; never empty after send_held().
  std::span<std::byte> space();
  /// So many bytes in front of space() are data.
  void add(std::size_t size) { filling_.size += size; }
  /// Whether send_held() is due: a plain piece goes as soon as it is there, chunks are filled.
  bool is_full() const;

  /// Sends the piece that was held, and holds the one just filled. Errc::closed where the origin
  /// has answered or closed.
  Task<Result<void>> send_held();
  /// Sends all that is left, and the body's end.
  Task<Result<void>> finish(const http::Headers& trailers);

 private:
  /// Data with room for a chunk's head before it and its end behind it.
  struct Piece {
    std::vector<std::byte> bytes;
    std::size_t size = 0;
  };

  Task<Result<void>> send(Piece& piece);

  origin::Exchange& exchange_;
  std::optional<s3::AwsChunkedEncoder> encoder_;
  milliseconds progress_;
  Piece filling_;
  Piece held_;
};

}  // namespace forebay::proxy
