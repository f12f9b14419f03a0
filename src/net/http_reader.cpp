#include "net/head_parser.hpp"
#include "net/head_scanner.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/base/errc.hpp>
#include <forebay/net/http_reader.hpp>

#include <algorithm>
#include <array>
#include <ranges>
#include <string_view>
#include <utility>

namespace forebay::net {
namespace {

/// One read for a head or for chunk framing. Most heads fit; what follows them is copied once.
constexpr std::size_t kReceiveSize = 4 * KiB;
/// Chunk data shorter than this comes with its framing; longer goes straight to the caller.
constexpr std::uint64_t kDirectMin = 4 * KiB;
constexpr int kInterimResponsesMax = 8;

/// What a failed read means within a message, where every end is too early.
Error within_message(const Error& error) {
  return error == Errc::closed ? Error{Errc::truncated} : error;
}

bool is_persistent(int minor_version, const http::Headers& headers) {
  if (minor_version == 0)
    return false;
  for (const auto& field : headers) {
    if (!http::iequals(field.name, "connection"))
      continue;
    for (const auto option : std::views::split(std::string_view{field.value}, ',')) {
      std::string_view name{option.begin(), option.end()};
      while (name.starts_with(' ') || name.starts_with('\t'))
        name.remove_prefix(1);
      while (name.ends_with(' ') || name.ends_with('\t'))
        name.remove_suffix(1);
      if (http::iequals(name, "close"))
        return false;
    }
  }
  return true;
}

}  // namespace

bool is_persistent(const http::RequestHead& head) {
  return is_persistent(head.minor_version, head.headers);
}

bool is_persistent(const http::ResponseHead& head) {
  return is_persistent(head.minor_version, head.headers);
}

Task<Result<http::RequestHead>> HttpReader::read_request(Deadline idle, milliseconds head_timeout) {
  ASSERT(done_);
  if (!has_buffered()) {
    std::vector<std::byte>{}.swap(buffer_);
    begin_ = 0;
    CO_TRY(const bool readable, co_await stream_.wait_readable(idle));
    if (!readable)
      co_return Errc::closed;
  }
  const Deadline deadline = Deadline::after(head_timeout);
  CO_TRY(const std::size_t size, co_await receive_head(deadline));
  auto head = parse_request_head(buffered().first(size));
  consume(size);
  co_return head;
}

Task<Result<http::ResponseHead>> HttpReader::read_response(Deadline deadline) {
  ASSERT(done_);
  for (int interim = 0; interim < kInterimResponsesMax; ++interim) {
    CO_TRY(const std::size_t size, co_await receive_head(deadline));
    auto head = parse_response_head(buffered().first(size));
    consume(size);
    const bool swallowed = head && head.value().status > 100 && head.value().status < 200;
    if (!swallowed)
      co_return head;
  }
  co_return Errc::protocol;
}

/// The size of the whole head that now lies at the front of the buffer.
Task<Result<std::size_t>> HttpReader::receive_head(Deadline deadline) {
  HeadScanner scanner;
  for (;;) {
    CO_TRY(const bool complete, scanner.feed(buffered().subspan(scanner.size())));
    if (scanner.size() > limits_.head_size_max)
      co_return Errc::too_large;
    if (complete)
      co_return scanner.size();
    const auto received = co_await receive(deadline);
    if (!received) {
      const Error error = within_message(received.error());
      const bool before_first_byte = !has_buffered() && error == Errc::truncated;
      if (before_first_byte)
        co_return Errc::closed;
      co_return error;
    }
  }
}

/// Appends what one read brings.
Task<Result<void>> HttpReader::receive(Deadline deadline) {
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(begin_));
  begin_ = 0;
  const std::size_t size = buffer_.size();
  buffer_.resize(size + kReceiveSize);
  const std::span<std::byte> room = std::span{buffer_}.subspan(size);
  const auto got = co_await stream_.read_some(room, deadline);
  buffer_.resize(size + (got ? got.value() : 0));
  if (!got)
    co_return got.error();
  co_return success();
}

void HttpReader::consume(std::size_t size) {
  begin_ += size;
  if (begin_ == buffer_.size()) {
    buffer_.clear();
    begin_ = 0;
  }
}

std::size_t HttpReader::take_buffered(std::span<std::byte> buffer, std::uint64_t size_max) {
  const std::size_t size = static_cast<std::size_t>(
      std::min<std::uint64_t>(std::min(buffer.size(), buffered().size()), size_max));
  std::copy_n(buffered().begin(), size, buffer.begin());
  consume(size);
  return size;
}

void HttpReader::set_body(http::BodyFraming framing) {
  framing_ = framing.framing;
  remaining_ = framing_ == http::Framing::length ? framing.length : 0;
  done_ = framing_ == http::Framing::none || (framing_ == http::Framing::length && remaining_ == 0);
  if (framing_ == http::Framing::chunked)
    chunks_ = ChunkedDecoder{};
}

Task<Result<std::size_t>> HttpReader::read_body(std::span<std::byte> buffer, Deadline deadline) {
  ASSERT(!buffer.empty());
  if (done_)
    co_return std::size_t{0};
  switch (framing_) {
    case http::Framing::length:
      co_return co_await read_length(buffer, deadline);
    case http::Framing::chunked:
      co_return co_await read_chunked(buffer, deadline);
    default:
      co_return co_await read_until_close(buffer, deadline);
  }
}

Task<Result<void>> HttpReader::wait_body(Deadline deadline) {
  for (;;) {
    const bool is_chunked = framing_ == http::Framing::chunked;
    const bool in_data = !is_chunked || chunks_.data_remaining() != 0;
    if (done_ || (is_chunked && chunks_.done()) || (in_data && has_buffered()))
      co_return success();
    if (has_buffered()) {
      CO_TRY(const std::size_t used, chunks_.feed(buffered()));
      consume(used);
      continue;
    }
    std::vector<std::byte>{}.swap(buffer_);
    begin_ = 0;
    CO_TRY(co_await wait_for_input(stream_, deadline));
    if (stream_.input() == Input::closed)
      co_return Errc::truncated;
    if (in_data)
      co_return success();
    const auto received = co_await receive(deadline);
    if (!received)
      co_return within_message(received.error());
  }
}

Task<Result<std::size_t>> HttpReader::read_length(std::span<std::byte> buffer, Deadline deadline) {
  std::size_t size = take_buffered(buffer, remaining_);
  if (size == 0) {
    const std::size_t size_max =
        static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), remaining_));
    const auto got = co_await stream_.read_some(buffer.first(size_max), deadline);
    if (!got)
      co_return within_message(got.error());
    size = got.value();
  }
  remaining_ -= size;
  done_ = remaining_ == 0;
  co_return size;
}

Task<Result<std::size_t>> HttpReader::read_chunked(std::span<std::byte> buffer, Deadline deadline) {
  for (;;) {
    if (chunks_.done()) {
      done_ = true;
      co_return std::size_t{0};
    }
    const std::uint64_t data = chunks_.data_remaining();
    if (data != 0 && has_buffered()) {
      const std::size_t size = take_buffered(buffer, data);
      chunks_.data_taken(size);
      co_return size;
    }
    if (data >= kDirectMin) {
      const std::size_t size_max =
          static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), data));
      const auto got = co_await stream_.read_some(buffer.first(size_max), deadline);
      if (!got)
        co_return within_message(got.error());
      chunks_.data_taken(got.value());
      co_return got;
    }
    if (!has_buffered()) {
      const auto received = co_await receive(deadline);
      if (!received)
        co_return within_message(received.error());
      continue;
    }
    CO_TRY(const std::size_t used, chunks_.feed(buffered()));
    consume(used);
  }
}

Task<Result<std::size_t>> HttpReader::read_until_close(std::span<std::byte> buffer,
                                                       Deadline deadline) {
  if (has_buffered())
    co_return take_buffered(buffer, buffer.size());
  const auto got = co_await stream_.read_some(buffer, deadline);
  if (!got && got.error() == Errc::closed) {
    done_ = true;
    co_return std::size_t{0};
  }
  co_return got;
}

Task<Result<void>> HttpReader::discard_body(std::uint64_t bytes_max, Deadline deadline) {
  std::array<std::byte, 4 * KiB> scratch;
  std::uint64_t discarded = 0;
  while (!done_) {
    if (remaining_ > bytes_max - discarded)
      co_return Errc::too_large;
    CO_TRY(const std::size_t got, co_await read_body(scratch, deadline));
    discarded += got;
    if (discarded > bytes_max)
      co_return Errc::too_large;
  }
  co_return success();
}

}  // namespace forebay::net
