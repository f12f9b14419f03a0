#pragma once
// One scalar's text to its value and back.
#include "config/schema.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace forebay::config {

/// What is wrong with a text: "is not a size". The text itself is left to the caller to quote.
struct Misfit {
  std::string what;
};

/// `directory` is what a relative path means.
std::variant<Value, Misfit> parse_scalar(const Key& key, std::string_view text,
                                         std::string_view directory);
/// The bounds of a list's count.
bool count_fits(const Key& key, std::size_t count);

/// A text that does not fit, for errors: quoted, or "the value" where it is or may hold a secret.
std::string quoted_or_hidden(const Key& key, std::string_view text);

/// As it would stand in a file, quoted where YAML needs it. Scalars only.
std::string format_scalar(const Key& key, const Value& value);
/// The same for any text.
std::string quoted_where_needed(std::string_view text);

}  // namespace forebay::config
