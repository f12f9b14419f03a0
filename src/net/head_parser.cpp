#include "net/head_parser.hpp"

#include <forebay/base/errc.hpp>

#include <limits>
#include <string>
#include <type_traits>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>

namespace forebay::net {
namespace {

namespace beast = boost::beast;
using BeastError = beast::error_code;
using beast::string_view;

/// Writes what Beast finds straight into our own head. Only heads are given to it, so the
/// callbacks for bodies have nothing to do.
template <bool is_request>
class HeadParser final : public beast::http::basic_parser<is_request> {
 public:
  using Head = std::conditional_t<is_request, http::RequestHead, http::ResponseHead>;

  HeadParser() {
    this->header_limit(std::numeric_limits<std::uint32_t>::max());
    this->body_limit(boost::none);
    this->skip(true);
  }

  Head head;

 private:
  void on_request_impl(beast::http::verb, string_view method, string_view target, int version,
                       BeastError&) override {
    if constexpr (is_request) {
      head.method = std::string{method};
      head.target = std::string{target};
      head.minor_version = version - 10;
    }
  }
  void on_response_impl(int status, string_view reason, int version, BeastError&) override {
    if constexpr (!is_request) {
      head.status = status;
      head.reason = std::string{reason};
      head.minor_version = version - 10;
    }
  }
  void on_field_impl(beast::http::field, string_view name, string_view value,
                     BeastError&) override {
    head.headers.add(std::string{name}, std::string{value});
  }
  void on_header_impl(BeastError&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, BeastError&) override {}
  std::size_t on_body_impl(string_view body, BeastError&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, string_view, BeastError&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view body, BeastError&) override {
    return body.size();
  }
  void on_finish_impl(BeastError&) override {}
};

template <bool is_request>
Result<typename HeadParser<is_request>::Head> parse(std::span<const std::byte> bytes) {
  HeadParser<is_request> parser;
  BeastError ec;
  const std::size_t used = parser.put(boost::asio::buffer(bytes.data(), bytes.size()), ec);
  if (ec || !parser.is_header_done() || used != bytes.size())
    return Errc::protocol;
  return std::move(parser.head);
}

}  // namespace

Result<http::RequestHead> parse_request_head(std::span<const std::byte> bytes) {
  return parse<true>(bytes);
}

Result<http::ResponseHead> parse_response_head(std::span<const std::byte> bytes) {
  TRY(auto head, parse<false>(bytes));
  if (head.status < 100)
    return Errc::protocol;
  return head;
}

}  // namespace forebay::net
