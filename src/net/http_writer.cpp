#include <forebay/base/assert.hpp>
#include <forebay/base/errc.hpp>
#include <forebay/http/header_rules.hpp>
#include <forebay/net/http_writer.hpp>

#include <algorithm>
#include <array>
#include <utility>

#include <boost/beast/http/status.hpp>
#include <boost/container/small_vector.hpp>
#include <fmt/format.h>

namespace forebay::net {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr ConstBytes kNothing;
constexpr std::string_view kLastChunk = "0\r\n\r\n";

void append_fields(std::string& text, const http::Headers& headers) {
  std::size_t size = text.size() + kLineEnd.size();
  for (const auto& field : headers)
    size += field.name.size() + field.value.size() + 2 * kLineEnd.size();
  text.reserve(size);
  for (const auto& field : headers)
    text.append(field.name).append(": ").append(field.value).append(kLineEnd);
  text.append(kLineEnd);
}

bool is_control(char c) {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
}

}  // namespace

std::string_view reason_phrase(int status) {
  namespace beast_http = boost::beast::http;
  const auto known = beast_http::int_to_status(static_cast<unsigned>(status));
  if (known == beast_http::status::unknown)
    return {};
  const auto phrase = beast_http::obsolete_reason(known);
  return {phrase.data(), phrase.size()};
}

Result<std::string> serialize(const http::RequestHead& head) {
  if (http::check_request(head))
    return Errc::protocol;
  std::string text = head.method;
  text.append(" ").append(head.target).append(" HTTP/1.");
  text.append(std::to_string(head.minor_version)).append(kLineEnd);
  append_fields(text, head.headers);
  return text;
}

Result<std::string> serialize(const http::ResponseHead& head) {
  const std::string_view reason =
      head.reason.empty() ? reason_phrase(head.status) : std::string_view{head.reason};
  if (head.status < 100 || head.status > 999 || http::check_fields(head.headers) ||
      std::any_of(reason.begin(), reason.end(), is_control))
    return Errc::protocol;
  std::string text = "HTTP/1." + std::to_string(head.minor_version);
  text.append(" ").append(std::to_string(head.status)).append(" ").append(reason).append(kLineEnd);
  append_fields(text, head.headers);
  return text;
}

MessageWriter::MessageWriter(Stream& stream, std::string head, http::BodyFraming body)
    : stream_{stream}, head_{std::move(head)}, body_{body} {}

bool MessageWriter::fits(std::uint64_t size) const {
  switch (body_.framing) {
    case http::Framing::none:
      return size == 0;
    case http::Framing::length:
      return size <= body_.length - written_;
    default:
      return true;
  }
}

Task<Result<void>> MessageWriter::send(ConstBytes before, ConstBytes data, ConstBytes after,
                                       Deadline deadline) {
  const ConstBytes head = as_bytes(head_).subspan(head_sent_);
  head_sent_ = head_.size();
  const std::array<ConstBytes, 4> parts{head, before, data, after};
  co_return co_await stream_.write_all(parts, deadline);
}

Task<Result<void>> MessageWriter::write(ConstBytes data, Deadline deadline) {
  if (!fits(data.size()))
    co_return Errc::protocol;
  if (data.empty())
    co_return success();
  written_ += data.size();
  if (body_.framing != http::Framing::chunked)
    co_return co_await send(kNothing, data, kNothing, deadline);
  const std::string size_line = fmt::format("{:x}\r\n", data.size());
  const ConstBytes before = as_bytes(size_line);
  const ConstBytes after = as_bytes(kLineEnd);
  co_return co_await send(before, data, after, deadline);
}

Result<std::size_t> MessageWriter::try_write(std::span<const ConstBytes> parts) {
  ASSERT(body_.framing == http::Framing::length || body_.framing == http::Framing::until_close);
  boost::container::small_vector<ConstBytes, 16> all;
  const ConstBytes head = as_bytes(head_).subspan(head_sent_);
  if (!head.empty())
    all.push_back(head);
  std::uint64_t size = 0;
  for (const ConstBytes part : parts) {
    all.push_back(part);
    size += part.size();
  }
  ASSERT(fits(size));
  TRY(const std::size_t taken, stream_.try_write(all));
  const std::size_t of_head = std::min(taken, head.size());
  head_sent_ += of_head;
  written_ += taken - of_head;
  return taken - of_head;
}

Task<Result<void>> MessageWriter::flush(Deadline deadline) {
  co_return co_await send(kNothing, kNothing, kNothing, deadline);
}

Task<Result<void>> MessageWriter::finish(Deadline deadline) {
  if (body_.framing == http::Framing::length && written_ != body_.length)
    co_return Errc::truncated;
  if (body_.framing != http::Framing::chunked)
    co_return co_await flush(deadline);
  const ConstBytes last = as_bytes(kLastChunk);
  co_return co_await send(last, kNothing, kNothing, deadline);
}

}  // namespace forebay::net
