#pragma once
// Percent-encoding and query strings (RFC 3986). Pure.
//
// '+' stands for itself, in paths and in queries alike: SigV4's canonical form knows %20 for the
// space and nothing else. Servers that read '+' in a query as a space exist, so a target that is
// signed for an origin is re-encoded first ('+' becomes %2B) and leaves nothing to read in two
// ways.
#include <forebay/base/result.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace forebay::http {

enum class Slash { encode, keep };

/// Everything but A-Z a-z 0-9 - . _ ~ becomes %XX with upper-case digits.
std::string percent_encode(std::string_view text, Slash slash = Slash::encode);

/// Errc::protocol for a '%' without two hexadecimal digits behind it. Other bytes pass unchanged.
Result<std::string> percent_decode(std::string_view text);

struct QueryParameter {
  std::string name;   ///< Decoded.
  std::string value;  ///< Decoded; empty where `bare`.
  bool bare = false;  ///< "uploads", as against "uploads=".

  friend bool operator==(const QueryParameter&, const QueryParameter&) = default;
};

/// In the order of the target. Duplicates are kept.
using Query = std::vector<QueryParameter>;

/// Splits and decodes what follows the '?'. Empty pieces ("a&&b") vanish. Errc::protocol as in
/// percent_decode.
Result<Query> parse_query(std::string_view text);
/// The inverse, encoded strictly; without the '?'.
std::string format_query(std::span<const QueryParameter> query);

/// The first parameter of that name (names of S3 are case-sensitive), or nullptr. Lives in `query`.
const QueryParameter* find(std::span<const QueryParameter> query, std::string_view name);

/// A target cut at its first '?'; both parts are still encoded and point into it.
struct Target {
  std::string_view path;
  std::optional<std::string_view> query;  ///< nullopt without '?'; "" for a bare one.
};
Target split_target(std::string_view target);

}  // namespace forebay::http
