#pragma once
// The chunked transfer coding (RFC 9112 section 7.1), decoded strictly and without I/O.
#include <forebay/base/result.hpp>
#include <forebay/http/message.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace forebay::net {

/// Tells the framing of a chunked body from its data. Feed it everything but the data:
/// when data_remaining() is not 0, that many bytes of the body come next; take them and say so.
class ChunkedDecoder {
 public:
  /// Extensions are ignored, but a sender must not make us read kilobytes for a byte of data.
  static constexpr std::size_t kSizeLineMax = 256;
  static constexpr std::size_t kTrailerLineMax = 4096;
  static constexpr std::size_t kTrailerFieldsMax = 32;

  /// Takes framing bytes and returns how many: stops at the first byte of data and after the
  /// body's last byte. Errc::protocol: bare CR or LF, a size that is no hexadecimal number of 64
  /// bits, data not ended by CRLF, a trailer field that is none; Errc::too_large past the limits.
  /// A failed decoder stays failed.
  Result<std::size_t> feed(std::span<const std::byte> bytes);

  /// Bytes of the current chunk's data that were not taken yet.
  std::uint64_t data_remaining() const { return data_remaining_; }
  void data_taken(std::uint64_t size);
  bool done() const { return state_ == State::done; }
  const http::Headers& trailers() const { return trailers_; }

 private:
  enum class State { size_line, data, data_end, trailer_line, done, failed };

  Result<void> end_line();
  Result<void> end_size_line();
  Result<void> end_trailer_line();
  Error fail(Error error);

  State state_ = State::size_line;
  std::string line_;
  std::uint64_t data_remaining_ = 0;
  http::Headers trailers_;
};

}  // namespace forebay::net
