#pragma once
// HTTP/1.1 messages from a stream (RFC 9112). Heads are parsed strictly; what a head means is
// http/'s business: call http::check_request and http::request_framing, then set_body().
#include <forebay/base/result.hpp>
#include <forebay/base/units.hpp>
#include <forebay/http/message.hpp>
#include <forebay/net/chunked_decoder.hpp>
#include <forebay/net/stream.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace forebay::net {

/// Whether the connection may carry another message after this one (RFC 9112 section 9.3):
/// HTTP/1.1 without "Connection: close". Keep-alive of HTTP/1.0 is not spoken.
bool is_persistent(const http::RequestHead& head);
bool is_persistent(const http::ResponseHead& head);

/// Reads one message after the other: a head, then its body to the end, then the next head. Bytes
/// of the next message that arrived early stay buffered. One task at a time; the stream must
/// outlive it. Holds no memory while it waits for a head.
class HttpReader {
 public:
  struct Limits {
    std::size_t head_size_max = 32 * KiB;
  };

  HttpReader(Stream& stream, Limits limits) : stream_{stream}, limits_{limits} {}
  explicit HttpReader(Stream& stream) : HttpReader{stream, Limits{}} {}

  /// The next request head, its first byte before `idle` and all of it within `head_timeout` of
  /// that. The previous body must be done.
  ///
  /// Close without an answer: Errc::closed (the client left or stayed silent before the first
  /// byte), Errc::cancelled (Stream::interrupt() before it), Errc::truncated (it left within the
  /// head). Answer and close: Errc::timeout (408), Errc::too_large (S3: 400
  /// RequestHeaderSectionTooLarge), Errc::protocol (400).
  Task<Result<http::RequestHead>> read_request(Deadline idle, milliseconds head_timeout);

  /// The next response head. 100 is handed out like any other; other 1xx are swallowed, a few at
  /// most. Errc::closed before the first byte (a stale pooled connection), else Errc::truncated,
  /// timeout, too_large, protocol.
  Task<Result<http::ResponseHead>> read_response(Deadline deadline);

  /// Announces the body of the head just read; without this call there is none.
  void set_body(http::BodyFraming framing);

  /// At least one byte into `buffer` (not empty), or 0 at the body's end and ever after.
  /// Errc::truncated where the connection ends before the body does, Errc::protocol for chunks
  /// that are none, Errc::timeout.
  Task<Result<std::size_t>> read_body(std::span<std::byte> buffer, Deadline deadline);
  /// Waits until read_body() would bring something without waiting: data, the body's end, or the
  /// failure of the connection other than Errc::truncated, which is told here. Takes no data, and
  /// holds no memory meanwhile but for framing that has begun. Errc::timeout, truncated, protocol.
  Task<Result<void>> wait_body(Deadline deadline);
  /// Reads the rest of the body away; Errc::too_large when there is more than `bytes_max`.
  Task<Result<void>> discard_body(std::uint64_t bytes_max, Deadline deadline);

  /// The last byte of the body was read (or there is none): the next head may be.
  bool body_done() const { return done_; }
  /// Bytes still to come, where the framing is `length`.
  std::uint64_t body_remaining() const { return remaining_; }
  /// Fields after a chunked body, once it is done.
  const http::Headers& trailers() const { return chunks_.trailers(); }
  /// Whether bytes are here that belong to no message read so far, or to the rest of this body.
  bool has_buffered() const { return begin_ != buffer_.size(); }

 private:
  Task<Result<std::size_t>> receive_head(Deadline deadline);
  Task<Result<std::size_t>> read_length(std::span<std::byte> buffer, Deadline deadline);
  Task<Result<std::size_t>> read_chunked(std::span<std::byte> buffer, Deadline deadline);
  Task<Result<std::size_t>> read_until_close(std::span<std::byte> buffer, Deadline deadline);
  Task<Result<void>> receive(Deadline deadline);
  std::size_t take_buffered(std::span<std::byte> buffer, std::uint64_t size_max);
  void consume(std::size_t size);
  std::span<const std::byte> buffered() const { return std::span{buffer_}.subspan(begin_); }

  Stream& stream_;
  Limits limits_;

  // Bytes received and not consumed: buffer_[begin_, size). Empty buffers give their memory back.
  std::vector<std::byte> buffer_;
  std::size_t begin_ = 0;

  // The body in hand.
  http::Framing framing_ = http::Framing::none;
  std::uint64_t remaining_ = 0;
  bool done_ = true;
  ChunkedDecoder chunks_;
};

}  // namespace forebay::net
