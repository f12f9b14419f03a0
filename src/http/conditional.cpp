#include "http/text.hpp"

#include <forebay/http/conditional.hpp>

#include <array>

namespace forebay::http {
namespace {

/// What one field says, or that it cannot be told.
enum class Verdict { absent, yes, no, unknown };

/// Is the object's tag the one in field `name`?
Verdict tag_matches(const Headers& request, std::string_view name, std::string_view etag) {
  const auto count = request.count(name);
  if (count == 0)
    return Verdict::absent;
  if (count > 1)
    return Verdict::unknown;
  const auto value = trim(request.value_or_empty(name));
  // "*" is any object that exists; Ceph and MinIO do not agree on that.
  const auto wanted = strong_etag(value);
  const auto current = strong_etag(etag);
  if (!wanted || !current)
    return Verdict::unknown;
  return *wanted == *current ? Verdict::yes : Verdict::no;
}

/// Was the object modified after the date in field `name`?
Verdict modified_since(const Headers& request, std::string_view name,
                       std::optional<sys_seconds> last_modified) {
  const auto count = request.count(name);
  if (count == 0)
    return Verdict::absent;
  if (count > 1 || !last_modified)
    return Verdict::unknown;
  const auto date = parse_date(trim(request.value_or_empty(name)));
  if (!date)
    return Verdict::unknown;
  return *last_modified > date.value() ? Verdict::yes : Verdict::no;
}

/// The step that lets the request pass on `pass`, and ends it with `otherwise` on the opposite.
/// nullopt: go on with the next step.
std::optional<Precondition> step(Verdict verdict, Verdict pass, Precondition otherwise) {
  if (verdict == Verdict::unknown)
    return Precondition::undecidable;
  if (verdict == Verdict::absent || verdict == pass)
    return std::nullopt;
  return otherwise;
}

bool is_unmodified_since(const Headers& request, std::optional<sys_seconds> last_modified) {
  const auto verdict = modified_since(request, "if-modified-since", last_modified);
  return verdict == Verdict::no || verdict == Verdict::unknown;
}

}  // namespace

Precondition evaluate(const Headers& request, std::string_view etag,
                      std::optional<sys_seconds> last_modified) {
  const auto if_match = tag_matches(request, "if-match", etag);
  const auto first = if_match != Verdict::absent
                         ? step(if_match, Verdict::yes, Precondition::failed)
                         : step(modified_since(request, "if-unmodified-since", last_modified),
                                Verdict::no, Precondition::failed);
  if (first)
    return *first;
  const auto if_none_match = tag_matches(request, "if-none-match", etag);
  const auto second = if_none_match != Verdict::absent
                          ? step(if_none_match, Verdict::no, Precondition::not_modified)
                          : step(modified_since(request, "if-modified-since", last_modified),
                                 Verdict::yes, Precondition::not_modified);
  // RFC 9110 does not look at If-Modified-Since beside If-None-Match; not every origin has read it.
  if (if_none_match != Verdict::absent && !second && is_unmodified_since(request, last_modified))
    return Precondition::undecidable;
  return second.value_or(Precondition::proceed);
}

bool has_preconditions(const Headers& request) {
  constexpr std::array<std::string_view, 4> kNames{"if-match", "if-none-match", "if-modified-since",
                                                   "if-unmodified-since"};
  for (const auto name : kNames) {
    if (request.contains(name))
      return true;
  }
  return false;
}

IfRange evaluate_if_range(const Headers& request, std::string_view etag) {
  const auto count = request.count("if-range");
  if (count == 0)
    return IfRange::no_header;
  const auto value = trim(request.value_or_empty("if-range"));
  // Without quotes it cannot be told from a date in some other form.
  const auto wanted = value.starts_with('"') ? strong_etag(value) : std::nullopt;
  const auto current = strong_etag(etag);
  if (count > 1 || !wanted || !current)
    return IfRange::undecidable;
  // Where it differs the Range would not count; Ceph and MinIO do not look at If-Range.
  return *wanted == *current ? IfRange::matches : IfRange::undecidable;
}

std::optional<std::string_view> strong_etag(std::string_view etag) {
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"')
    etag = etag.substr(1, etag.size() - 2);
  if (etag.empty() || etag.starts_with("W/"))
    return std::nullopt;
  for (const char c : etag) {
    // etagc of RFC 9110 section 8.8.3, less what would make it a list or a second tag.
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7f || c == '"' || c == ',' || c == '*')
      return std::nullopt;
  }
  return etag;
}

}  // namespace forebay::http
