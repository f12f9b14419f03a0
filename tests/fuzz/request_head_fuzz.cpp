// The head of a request: scanner, parser, the rules for requests, and the way back.
#include "entry.hpp"
#include "net/head_parser.hpp"
#include "net/head_scanner.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/http/header_rules.hpp>
#include <forebay/net/http_writer.hpp>

namespace forebay::fuzz {
namespace {

/// Bytes of the head; 0 where it is refused or not whole.
std::size_t scan(std::string_view text, std::size_t piece) {
  net::HeadScanner scanner;
  while (scanner.size() < text.size()) {
    const auto complete = scanner.feed(bytes_of(text.substr(scanner.size(), piece)));
    if (!complete)
      return 0;
    if (complete.value())
      return scanner.size();
  }
  return 0;
}

void check_accepted(const http::RequestHead& head) {
  ASSERT(http::request_framing(head));
  const auto text = net::serialize(head);
  ASSERT(text);
  const auto again = net::parse_request_head(bytes_of(text.value()));
  ASSERT(again);
  ASSERT(again.value().method == head.method && again.value().target == head.target);
  ASSERT(same_fields(again.value().headers, head.headers));

  const http::Headers passed_on = http::end_to_end(head.headers);
  ASSERT(same_fields(http::end_to_end(passed_on), passed_on));
  ASSERT(!passed_on.contains("Connection") && !passed_on.contains("Transfer-Encoding"));

  http::RequestHead origin_form = head;
  const std::string domains[] = {"s3.example"};
  const bool understood = http::to_origin_form(origin_form, domains);
  ASSERT(understood || origin_form.target == head.target);
}

}  // namespace

void check(std::string_view input) {
  const std::size_t piece = 1 + take_byte(input) % 16;
  const std::size_t size = scan(input, input.size());
  ASSERT(size <= input.size());
  ASSERT(scan(input, piece) == size);
  if (size == 0)
    return;
  const auto head = net::parse_request_head(bytes_of(input.substr(0, size)));
  if (head && !http::check_request(head.value()))
    check_accepted(head.value());
}

}  // namespace forebay::fuzz
