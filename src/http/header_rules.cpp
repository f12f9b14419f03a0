#include "http/text.hpp"

#include <forebay/base/errc.hpp>
#include <forebay/http/field_names.hpp>
#include <forebay/http/header_rules.hpp>

#include <algorithm>
#include <array>

namespace forebay::http {
namespace {

// RFC 9110 section 7.6.1, and Keep-Alive and Proxy-Connection, which older software sends.
constexpr std::array<std::string_view, 9> kHopByHop{"connection",
                                                    "keep-alive",
                                                    "proxy-authenticate",
                                                    "proxy-authorization",
                                                    "te",
                                                    "proxy-connection",
                                                    "trailer",
                                                    "upgrade",
                                                    "transfer-encoding"};

// Far more than any client names.
constexpr std::size_t kConnectionOptionsMax = 32;

bool is_hop_by_hop(std::string_view name) {
  return std::any_of(kHopByHop.begin(), kHopByHop.end(),
                     [name](std::string_view each) { return iequals(each, name); });
}

/// Fields whose loss on the way would change what a request means or who sends it.
bool is_for_every_recipient(std::string_view name) {
  const auto lower = fold_name(name);
  return lower == "host" || lower == "authorization" || lower == "range" || lower == "expect" ||
         lower.starts_with("content-") || lower.starts_with("if-") || lower.starts_with("x-amz-");
}

/// What Connection names, in lower case and sorted.
std::vector<std::string> connection_options(const Headers& headers) {
  std::vector<std::string> options;
  for (const auto& field : headers) {
    if (!iequals(field.name, "connection"))
      continue;
    for (const std::string_view element : split_list(field.value))
      options.push_back(to_lower(element));
  }
  std::sort(options.begin(), options.end());
  return options;
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

/// Origin-form or "*". Bytes that RFC 3986 (section 2) does not allow but that cannot be misread,
/// such as braces and UTF-8, are what some clients send; a blank ends a target, '#' begins a
/// fragment, and some servers take a backslash for a slash.
bool is_valid_target(const RequestHead& request) {
  if (request.target == "*")
    return request.method == "OPTIONS";
  if (!request.target.starts_with('/'))
    return false;
  return std::none_of(request.target.begin(), request.target.end(),
                      [](char c) { return is_control(c) || c == ' ' || c == '#' || c == '\\'; });
}

/// uri-host [ ":" port ] of RFC 9110 section 7.2, with the host a DNS name or an address.
bool is_valid_host(std::string_view value) {
  std::string_view port;
  if (value.starts_with('[')) {
    const auto close = value.find(']');
    if (close == std::string_view::npos || close < 2)
      return false;
    const auto address = value.substr(1, close - 1);
    if (address.find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos)
      return false;
    port = value.substr(close + 1);
  } else {
    const auto colon = value.find(':');
    const auto host = value.substr(0, colon);
    const auto is_host_char = [](char c) {
      return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_';
    };
    if (host.empty() || !std::all_of(host.begin(), host.end(), is_host_char))
      return false;
    port = colon == std::string_view::npos ? std::string_view{} : value.substr(colon);
  }
  if (port.empty())
    return true;
  return port.front() == ':' && std::all_of(port.begin() + 1, port.end(), is_digit);
}

/// The framing of a request, or why it has none that everybody agrees on.
std::optional<Refusal> frame(const RequestHead& request, BodyFraming& framing) {
  const auto codings = request.headers.count("transfer-encoding");
  const auto lengths = request.headers.count("content-length");
  if (codings > 0) {
    if (codings > 1 || request.minor_version == 0 ||
        !iequals(request.headers.value_or_empty("transfer-encoding"), "chunked"))
      return Refusal::transfer_coding;
    if (lengths > 0)
      return Refusal::ambiguous_length;
    framing = {.framing = Framing::chunked};
  } else if (lengths > 1) {
    return Refusal::ambiguous_length;
  } else if (lengths == 1) {
    const auto length = parse_decimal(request.headers.value_or_empty("content-length"));
    if (!length)
      return Refusal::content_length;
    framing = {.framing = Framing::length, .length = *length};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Refusal> check_fields(const Headers& headers) {
  for (const auto& field : headers) {
    if (!is_token(field.name))
      return Refusal::field_name;
    const bool clean = std::none_of(field.value.begin(), field.value.end(),
                                    [](char c) { return is_control(c) && c != '\t'; });
    if (!clean)
      return Refusal::field_value;
  }
  return std::nullopt;
}

void remove_connection_named(Headers& headers) {
  const auto options = connection_options(headers);
  if (options.empty())
    return;
  headers.remove_if([&options](const Headers::Field& field) {
    return !is_hop_by_hop(field.name) &&
           std::binary_search(options.begin(), options.end(), to_lower(field.name));
  });
}

void remove_hop_by_hop(Headers& headers) {
  headers.remove_if([](const Headers::Field& field) { return is_hop_by_hop(field.name); });
}

Headers end_to_end(const Headers& headers) {
  Headers result = headers;
  remove_connection_named(result);
  remove_hop_by_hop(result);
  return result;
}

bool is_of_one_answer(std::string_view name) {
  constexpr std::array<std::string_view, 8> kNames{
      "date",       "set-cookie",   "set-cookie2", "x-amz-request-id",
      "x-amz-id-2", "x-request-id", "x-trans-id",  "x-openstack-request-id"};
  return std::any_of(kNames.begin(), kNames.end(),
                     [name](std::string_view each) { return iequals(each, name); });
}

void renew_fields(Headers& kept, const Headers& fresh) {
  kept.remove_if([](const Headers::Field& field) { return is_of_one_answer(field.name); });
  for (const auto& field : fresh) {
    if (is_of_one_answer(field.name))
      kept.add(field.name, field.value);
  }
}

std::string_view describe(Refusal refusal) {
  switch (refusal) {
    case Refusal::method:
      return "The request method is not valid.";
    case Refusal::target:
      return "The request target is not a valid path.";
    case Refusal::version:
      return "The protocol version is not supported.";
    case Refusal::host:
      return "Exactly one valid Host header is required.";
    case Refusal::field_name:
      return "A header name is not valid.";
    case Refusal::field_value:
      return "A header value holds a control character.";
    case Refusal::transfer_coding:
      return "A header you provided implies functionality that is not implemented: "
             "Transfer-Encoding may only be chunked.";
    case Refusal::ambiguous_length:
      return "The length of the request body is stated more than once.";
    case Refusal::content_length:
      return "The Content-Length header is not valid.";
    case Refusal::connection_option:
      return "The Connection header names a header that every recipient needs, or too many.";
    case Refusal::too_many_fields:
      return "The request has too many headers.";
    case Refusal::field_size:
      return "A header name or value is too long.";
    case Refusal::folded_name:
      return "A header name is spelled so that some servers read it as another header.";
    case Refusal::repeated_field:
      return "A header that a request has once at most was sent twice.";
  }
  return "The request is not valid.";
}

std::optional<Refusal> check_request(const RequestHead& request) {
  if (!is_token(request.method))
    return Refusal::method;
  if (request.minor_version != 0 && request.minor_version != 1)
    return Refusal::version;
  if (!is_valid_target(request))
    return Refusal::target;
  if (const auto refusal = check_fields(request.headers))
    return refusal;
  if (request.headers.count("host") != 1 || !is_valid_host(request.headers.value_or_empty("host")))
    return Refusal::host;
  const auto options = connection_options(request.headers);
  if (options.size() > kConnectionOptionsMax ||
      std::any_of(options.begin(), options.end(), is_for_every_recipient))
    return Refusal::connection_option;
  BodyFraming framing;
  return frame(request, framing);
}

bool to_origin_form(RequestHead& request, std::span<const std::string> domains) {
  constexpr std::string_view kScheme = "http://";
  const std::string_view target = request.target;
  if (!iequals(target.substr(0, kScheme.size()), kScheme))
    return true;
  const auto rest = target.substr(kScheme.size());
  const auto authority = rest.substr(0, rest.find_first_of("/?"));
  const auto host = to_lower(authority.substr(0, authority.find(':')));
  const bool served = std::any_of(domains.begin(), domains.end(), [&host](const auto& domain) {
    return iequals(host, domain) || host.ends_with("." + to_lower(domain));
  });
  if (!served || !iequals(authority, request.headers.value_or_empty("host")))
    return false;
  std::string path{rest.substr(authority.size())};
  if (!path.starts_with('/'))
    path.insert(0, 1, '/');
  request.target = std::move(path);
  return true;
}

Result<BodyFraming> request_framing(const RequestHead& request) {
  BodyFraming framing;
  if (frame(request, framing))
    return Errc::protocol;
  return framing;
}

Result<BodyFraming> response_framing(std::string_view request_method,
                                     const ResponseHead& response) {
  if (request_method == "HEAD" || response.status < 200 || response.status == 204 ||
      response.status == 304)
    return BodyFraming{};
  const auto codings = response.headers.count("transfer-encoding");
  std::optional<std::uint64_t> length;
  for (const auto& field : response.headers) {
    if (!iequals(field.name, "content-length"))
      continue;
    const auto elements = split_list(field.value);
    if (elements.empty())
      return Errc::protocol;
    for (const auto element : elements) {
      TRY(const auto each, parse_content_length(element));
      if (length.value_or(each) != each)
        return Errc::protocol;
      length = each;
    }
  }
  if (codings > 0) {
    if (codings > 1 || length || response.minor_version == 0 ||
        !iequals(response.headers.value_or_empty("transfer-encoding"), "chunked"))
      return Errc::protocol;
    return BodyFraming{.framing = Framing::chunked};
  }
  if (length)
    return BodyFraming{.framing = Framing::length, .length = *length};
  return BodyFraming{.framing = Framing::until_close};
}

Result<std::uint64_t> parse_content_length(std::string_view value) {
  if (const auto length = parse_decimal(value))
    return *length;
  return Errc::protocol;
}

}  // namespace forebay::http
