#pragma once
// Conditional reads: the If-* fields of GET and HEAD (RFC 9110 section 13, precedence of section
// 13.2.2, which is also the table of S3's GetObject page). Pure.
#include <forebay/http/date.hpp>
#include <forebay/http/message.hpp>

#include <optional>
#include <string_view>

namespace forebay::http {

enum class Precondition {
  proceed,
  not_modified,  ///< 304
  failed,        ///< 412
  undecidable,   ///< What only the origin can answer exactly: forward the request.
};

/// Decides If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since of a GET or HEAD on
/// an object that exists, with this ETag and modification time. A field of lower precedence is not
/// looked at when a higher one has decided. `undecidable` are weak tags, lists of tags and "*", a
/// field that occurs twice, an empty value, a date that does not parse, a field whose counterpart
/// of the object is weak or unknown, and If-Modified-Since beside an If-None-Match that it
/// disagrees with.
Precondition evaluate(const Headers& request, std::string_view etag,
                      std::optional<sys_seconds> last_modified);

/// True where any field that `evaluate` reads is present.
bool has_preconditions(const Headers& request);

enum class IfRange {
  no_header,
  matches,      ///< The Range field counts.
  undecidable,  ///< Another tag, a date, a weak tag, no quoted tag: forward the request.
};

/// Decides If-Range (RFC 9110 section 13.1.5) against the object's ETag.
IfRange evaluate_if_range(const Headers& request, std::string_view etag);

/// The opaque part of a strong ETag, without its quotes; some origins send none and that is
/// accepted. nullopt for a weak, empty or malformed tag. Points into `etag`.
std::optional<std::string_view> strong_etag(std::string_view etag);

}  // namespace forebay::http
