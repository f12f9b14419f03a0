#pragma once
// HTTP/1.1 messages to a stream (RFC 9112).
#include <forebay/base/result.hpp>
#include <forebay/http/message.hpp>
#include <forebay/net/stream.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace forebay::net {

/// The head as it goes on the wire, empty line included. Errc::protocol for anything that would
/// change the message's shape: a name or method that is no token, a control character in a value,
/// target or reason. An empty reason becomes the status' standard phrase.
Result<std::string> serialize(const http::RequestHead& head);
Result<std::string> serialize(const http::ResponseHead& head);

/// "Not Found"; "" for a status without a standard phrase.
std::string_view reason_phrase(int status);

/// Writes one message: its head together with the first bytes of its body, then the rest. One
/// task at a time; the stream must outlive it.
class MessageWriter {
 public:
  /// `head` is a serialize()d one that announces `body`; until_close is written as it is.
  MessageWriter(Stream& stream, std::string head, http::BodyFraming body);

  /// Writes all of `data`. Errc::protocol for more than the announced length (nothing of it is
  /// sent), Errc::closed, timeout. The deadline covers the whole call.
  Task<Result<void>> write(ConstBytes data, Deadline deadline);

  /// For length and until_close only: what fits without waiting, like Stream::try_write; the
  /// count is of body bytes. 0: await stream.wait_writable(), then try again with the bytes looked
  /// up anew. The parts must not exceed the announced length.
  Result<std::size_t> try_write(std::span<const ConstBytes> parts);

  /// Sends a head that still waits for its body, e.g. before a long wait for it.
  Task<Result<void>> flush(Deadline deadline);
  /// Ends the message and flushes. Errc::truncated when fewer bytes than announced were written:
  /// the connection can only be closed then.
  Task<Result<void>> finish(Deadline deadline);

  /// Body bytes taken so far.
  std::uint64_t written() const { return written_; }
  /// Whether any byte of the message went out: before that another response can still be sent.
  bool started() const { return head_sent_ != 0; }

 private:
  bool fits(std::uint64_t size) const;
  Task<Result<void>> send(ConstBytes before, ConstBytes data, ConstBytes after, Deadline deadline);

  Stream& stream_;
  std::string head_;
  std::size_t head_sent_ = 0;  ///< Of head_.
  http::BodyFraming body_;
  std::uint64_t written_ = 0;
};

}  // namespace forebay::net
