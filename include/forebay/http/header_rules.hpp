#pragma once
// Which fields end at this hop, how long bodies are, and which requests are refused although the
// parser lets them through (RFC 9110 section 7.6.1, RFC 9112 sections 3 and 6). Pure.
#include <forebay/base/result.hpp>
#include <forebay/http/message.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace forebay::http {

/// The fields that go on to the next hop: without the hop-by-hop fields and whatever Connection
/// names. Body framing goes with them except Content-Length, which stays.
Headers end_to_end(const Headers& headers);
/// Its two halves, for a message that gets fields of this node's own in between: a peer's
/// Connection must not remove those.
void remove_connection_named(Headers& headers);
void remove_hop_by_hop(Headers& headers);

/// Fields of one answer, which say nothing of what it answers: Date, Set-Cookie, request ids.
bool is_of_one_answer(std::string_view name);
/// Replaces these fields in `kept` by those of `fresh`, the answer just received.
void renew_fields(Headers& kept, const Headers& fresh);

/// Why a request is refused. All are answered 400, except `transfer_coding` (501).
/// The last four are found by check_names (field_names.hpp).
enum class Refusal {
  method,           ///< No token.
  target,           ///< Neither origin-form nor OPTIONS *, or a byte that no URI holds.
  version,          ///< Neither HTTP/1.0 nor HTTP/1.1.
  host,             ///< Missing, twice, or not a host with an optional port.
  field_name,       ///< No token.
  field_value,      ///< A control character other than a tab.
  transfer_coding,  ///< A Transfer-Encoding other than exactly "chunked", or in HTTP/1.0, or twice.
  ambiguous_length,   ///< Transfer-Encoding beside Content-Length, or Content-Length twice.
  content_length,     ///< Not a decimal number of 64 bits.
  connection_option,  ///< Connection names a field that is meant for every recipient, or too much.
  too_many_fields,    ///< More than kFieldsMax.
  field_size,         ///< A name beyond kFieldNameMax, or a value beyond kFieldValueMax.
  folded_name,        ///< A name that some servers read as that of a field that decides.
  repeated_field,     ///< Two of a field of which servers use one, and not all the same one.
};

/// One sentence for the client and the log; it quotes nothing of the request.
std::string_view describe(Refusal refusal);

/// What is wrong with names and values of a message's fields, or nullopt: field_name, field_value.
std::optional<Refusal> check_fields(const Headers& headers);

/// What is wrong with `request`, or nullopt. Percent-encoding is checked where targets are decoded.
std::optional<Refusal> check_request(const RequestHead& request);

/// Turns a target in absolute-form (RFC 9112 section 3.2.2: what clients of an HTTP proxy send)
/// into origin-form; every other target is left alone. False, and nothing changed, where its
/// authority is not the Host field's or is neither one of `domains` nor below one.
bool to_origin_form(RequestHead& request, std::span<const std::string> domains);

/// The body of a request that passed check_request; Errc::protocol where it would not have.
/// Without any length field the body is `none`; "Content-Length: 0" is `length` 0.
Result<BodyFraming> request_framing(const RequestHead& request);

/// The body of a response to a request with `request_method` (RFC 9112 section 6.3). Equal
/// duplicates of Content-Length collapse; differing ones, a length beside Transfer-Encoding, and
/// any coding but "chunked" are Errc::protocol.
Result<BodyFraming> response_framing(std::string_view request_method, const ResponseHead& response);

/// 1*DIGIT within 64 bits. Errc::protocol otherwise: no sign, space or list.
Result<std::uint64_t> parse_content_length(std::string_view value);

}  // namespace forebay::http
