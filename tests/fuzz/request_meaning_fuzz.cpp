// One meaning for each request: this node reads in a head what a server reads that turns field
// names into variables (CGI, RFC 3875 section 4.1.18) and decodes a query before it splits it.
// Input: a request's head.
#include "entry.hpp"
#include "net/head_parser.hpp"
#include "net/head_scanner.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/http/field_names.hpp>
#include <forebay/http/header_rules.hpp>
#include <forebay/http/uri.hpp>
#include <forebay/net/http_writer.hpp>
#include <forebay/s3/query_rules.hpp>

#include <array>
#include <map>
#include <set>
#include <vector>

namespace forebay::fuzz {
namespace {

/// The values of each field, in the order of the head, by its name in lower case.
using Reading = std::map<std::string, std::vector<std::string>>;

constexpr std::string_view kMetadata = "x-amz-meta-";

// Of these one value counts. A server that takes the last, one that takes the first and one that
// joins them agree only where there is one.
constexpr std::array<std::string_view, 13> kOneValue{"authorization",
                                                     "content-length",
                                                     "content-md5",
                                                     "content-type",
                                                     "date",
                                                     "expect",
                                                     "host",
                                                     "transfer-encoding",
                                                     "x-amz-content-sha256",
                                                     "x-amz-copy-source",
                                                     "x-amz-copy-source-range",
                                                     "x-amz-date",
                                                     "x-amz-security-token"};

/// Bytes of the head; 0 where it is refused or not whole.
std::size_t scan(std::string_view text) {
  net::HeadScanner scanner;
  const auto complete = scanner.feed(bytes_of(text));
  return complete && complete.value() ? scanner.size() : 0;
}

/// "x-amz-acl" becomes "X_AMZ_ACL". RFC 3875 names only '-'; there are servers that do the same
/// with every other character, so here they all become '_'.
std::string variable_of(std::string_view name) {
  std::string variable;
  for (const char c : name) {
    const bool is_lower = c >= 'a' && c <= 'z';
    const bool is_kept = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    variable += is_lower ? static_cast<char>(c - 'a' + 'A') : is_kept ? c : '_';
  }
  return variable;
}

/// The field that such a server believes it got.
std::string field_of(std::string_view variable) {
  std::string name;
  for (const char c : variable)
    name += c == '_' ? '-' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return name;
}

/// A head taken apart without the node's own parser: lines, then names and values.
http::Headers fields_in(std::string_view head) {
  constexpr std::string_view kBlanks = " \t";
  http::Headers fields;
  take_line(head);
  while (!head.empty()) {
    std::string_view line = take_line(head);
    if (line.ends_with('\r'))
      line.remove_suffix(1);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos)
      continue;
    auto value = line.substr(colon + 1);
    value.remove_prefix(std::min(value.find_first_not_of(kBlanks), value.size()));
    value = value.substr(0, value.find_last_not_of(kBlanks) + 1);
    fields.add(std::string{line.substr(0, colon)}, std::string{value});
  }
  return fields;
}

/// What the node sees of the fields that matter. It asks for each by its exact name.
Reading as_the_node(const http::Headers& headers) {
  Reading reading;
  for (const auto& field : headers) {
    auto name = http::to_lower(field.name);
    if (http::is_decisive(name) && !name.starts_with(kMetadata))
      reading[std::move(name)].push_back(field.value);
  }
  return reading;
}

/// What a CGI-style server sees of them.
Reading as_a_cgi_server(const http::Headers& headers) {
  Reading reading;
  for (const auto& field : headers) {
    auto name = field_of(variable_of(field.name));
    if (http::is_decisive(name) && !name.starts_with(kMetadata))
      reading[std::move(name)].push_back(field.value);
  }
  return reading;
}

void check_one_value(const Reading& reading) {
  for (const std::string_view name : kOneValue) {
    const auto found = reading.find(std::string{name});
    ASSERT(found == reading.end() || found->second.size() == 1);
  }
}

/// Metadata keys may hold other characters, but every server takes each for metadata, and no two
/// for the same key.
void check_metadata(const http::Headers& headers) {
  std::map<std::string, std::set<std::string>> spellings;
  for (const auto& field : headers) {
    const auto variable = variable_of(field.name);
    if (!field_of(variable).starts_with(kMetadata))
      continue;
    ASSERT(http::is_metadata_name(field.name));
    spellings[variable].insert(http::to_lower(field.name));
  }
  for (const auto& [variable, names] : spellings)
    ASSERT(names.size() == 1);
}

void check_fields_of(std::string_view text, const http::RequestHead& head) {
  // The request as it is passed on to an origin that verifies it itself.
  const http::Headers sent = fields_in(text);
  const Reading reading = as_the_node(head.headers);
  ASSERT(as_a_cgi_server(sent) == reading);
  check_one_value(reading);
  check_metadata(sent);

  // The request as it is signed anew.
  http::RequestHead outgoing = head;
  outgoing.headers = http::end_to_end(head.headers);
  Reading kept = as_the_node(outgoing.headers);
  std::erase_if(kept, [](const auto& each) { return http::is_of_other_protocol(each.first); });
  http::remove_ambiguous_names(outgoing.headers);
  const auto written = net::serialize(outgoing);
  ASSERT(written);
  const http::Headers arrived = fields_in(written.value());
  ASSERT(as_a_cgi_server(arrived) == kept);
  check_metadata(arrived);
  for (const auto& field : arrived)
    ASSERT(http::is_plain_name(field.name) || http::is_metadata_name(field.name));
}

/// '+' as a blank, then percent-encoding, as of a browser's form.
std::string decode_form(std::string_view text) {
  std::string spaced;
  for (const char c : text)
    spaced.append(c == '+' ? std::string_view{"%20"} : std::string_view{&c, 1});
  const auto decoded = http::percent_decode(spaced);
  ASSERT(decoded);
  return decoded.value();
}

/// Names and values of a query whose '&' and '=' count as they stand in `text`.
http::Query split_query(std::string_view text, std::string (*decode)(std::string_view)) {
  http::Query query;
  while (!text.empty()) {
    const auto end = text.find('&');
    const auto piece = decode(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (piece.empty())
      continue;
    const auto equals = piece.find('=');
    const bool bare = equals == std::string::npos;
    query.push_back({.name = piece.substr(0, equals),
                     .value = bare ? std::string{} : piece.substr(equals + 1),
                     .bare = bare});
  }
  return query;
}

/// Ceph's gateway: cut at '&', decoded, then cut at '='.
http::Query decoded_before_equals(std::string_view text) {
  return split_query(text, decode_form);
}

/// Decoded as a whole, then cut.
http::Query decoded_before_all(std::string_view text) {
  return split_query(decode_form(text), [](std::string_view piece) { return std::string{piece}; });
}

bool same_names(const http::Query& a, const http::Query& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return x.name == y.name; });
}

void check_query(const http::RequestHead& head) {
  const auto sent = http::split_target(head.target).query.value_or("");
  const auto query = http::parse_query(sent);
  if (!query || s3::check_parameters(query.value()))
    return;
  const http::Query& read = query.value();
  const std::string written = http::format_query(read);
  ASSERT(same_names(decoded_before_equals(sent), read));
  ASSERT(decoded_before_equals(written) == read);
  ASSERT(!s3::has_repeated_parameter(decoded_before_equals(written)));
  // Keys and prefixes may hold '&'. A server that decodes all of a query before it cuts it cannot
  // serve them, so it is compared only where no value does.
  const bool whole = std::none_of(read.begin(), read.end(), [](const auto& parameter) {
    return parameter.value.find('&') != std::string::npos;
  });
  if (!whole)
    return;
  ASSERT(same_names(decoded_before_all(sent), read));
  ASSERT(decoded_before_all(written) == read);
}

}  // namespace

void check(std::string_view input) {
  const std::size_t size = scan(input);
  if (size == 0)
    return;
  const auto text = input.substr(0, size);
  const auto head = net::parse_request_head(bytes_of(text));
  if (!head || http::check_request(head.value()) || http::check_names(head.value().headers))
    return;
  check_fields_of(text, head.value());
  check_query(head.value());
}

}  // namespace forebay::fuzz
