#include <forebay/base/assert.hpp>
#include <forebay/base/errc.hpp>
#include <forebay/http/header_rules.hpp>
#include <forebay/net/chunked_decoder.hpp>

#include <algorithm>
#include <charconv>

namespace forebay::net {
namespace {

constexpr std::string_view kSpaces = " \t";

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

bool is_control(char c) {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
}

}  // namespace

Error ChunkedDecoder::fail(Error error) {
  state_ = State::failed;
  return error;
}

Result<std::size_t> ChunkedDecoder::feed(std::span<const std::byte> bytes) {
  std::size_t used = 0;
  while (used < bytes.size() && state_ != State::data && state_ != State::done) {
    if (state_ == State::failed)
      return Errc::protocol;
    const char c = static_cast<char>(bytes[used++]);
    const bool after_cr = line_.ends_with('\r');
    if (after_cr != (c == '\n'))
      return fail(Errc::protocol);
    if (c != '\n') {
      line_.push_back(c);
      if (line_.size() > (state_ == State::trailer_line ? kTrailerLineMax : kSizeLineMax))
        return fail(Errc::too_large);
      continue;
    }
    line_.pop_back();
    if (auto ended = end_line(); !ended)
      return fail(ended.error());
    line_.clear();
  }
  return used;
}

void ChunkedDecoder::data_taken(std::uint64_t size) {
  ASSERT(size <= data_remaining_);
  data_remaining_ -= size;
  if (data_remaining_ == 0 && state_ == State::data)
    state_ = State::data_end;
}

Result<void> ChunkedDecoder::end_line() {
  switch (state_) {
    case State::size_line:
      return end_size_line();
    case State::data_end:
      if (!line_.empty())
        return Errc::protocol;
      state_ = State::size_line;
      return success();
    default:
      return end_trailer_line();
  }
}

Result<void> ChunkedDecoder::end_size_line() {
  const std::string_view line = line_;
  std::uint64_t size = 0;
  const auto [rest, ec] = std::from_chars(line.data(), line.data() + line.size(), size, 16);
  if (ec != std::errc{})
    return Errc::protocol;
  // The extension means nothing to us, but nobody may read a line's end into it.
  const auto extension = line.substr(static_cast<std::size_t>(rest - line.data()));
  if (!extension.empty() && !trim(extension).starts_with(';'))
    return Errc::protocol;
  if (std::any_of(extension.begin(), extension.end(), is_control))
    return Errc::protocol;
  data_remaining_ = size;
  state_ = size != 0 ? State::data : State::trailer_line;
  return success();
}

Result<void> ChunkedDecoder::end_trailer_line() {
  const std::string_view line = line_;
  if (line.empty()) {
    state_ = State::done;
    return success();
  }
  if (trailers_.size() == kTrailerFieldsMax)
    return Errc::too_large;
  const auto colon = line.find(':');
  if (colon == std::string_view::npos)
    return Errc::protocol;
  trailers_.add(std::string{line.substr(0, colon)}, std::string{trim(line.substr(colon + 1))});
  if (http::check_fields(trailers_))
    return Errc::protocol;
  return success();
}

}  // namespace forebay::net
