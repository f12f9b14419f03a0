// The head of a response: parser, framing, Content-Range, and the way back.
#include "entry.hpp"
#include "net/head_parser.hpp"
#include "net/head_scanner.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/http/header_rules.hpp>
#include <forebay/net/http_writer.hpp>

namespace forebay::fuzz {

void check(std::string_view input) {
  net::HeadScanner scanner;
  const auto complete = scanner.feed(bytes_of(input));
  if (!complete || !complete.value())
    return;
  const auto parsed = net::parse_response_head(bytes_of(input.substr(0, scanner.size())));
  if (!parsed)
    return;
  const http::ResponseHead& head = parsed.value();
  const auto get = http::response_framing("GET", head);
  const auto of_head = http::response_framing("HEAD", head);
  ASSERT(!of_head || of_head.value().framing == http::Framing::none);
  ASSERT(!get || get.value().framing != http::Framing::chunked ||
         !head.headers.contains("Content-Length"));
  const auto text = net::serialize(head);
  if (!text)
    return;
  const auto again = net::parse_response_head(bytes_of(text.value()));
  ASSERT(again);
  ASSERT(again.value().status == head.status);
  ASSERT(same_fields(again.value().headers, head.headers));
}

}  // namespace forebay::fuzz
