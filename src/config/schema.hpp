#pragma once
// The one table of what can be configured. Files, environment, help, the commented default file and
// the reference page are all read from it.
#include "config/value.hpp"

#include <forebay/config/config.hpp>

#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace forebay::config {

enum class Type {
  text,
  enumeration,
  size,      ///< "4MiB"
  duration,  ///< "5s"
  integer,
  number,
  boolean,
  host_port,
  url,
  path,
  text_list,
  map_list,
};

/// Bounds of the value itself (sizes in bytes, durations in milliseconds), of a text's length, or
/// of a list's count.
struct Bounds {
  double min = 0;
  double max = std::numeric_limits<double>::infinity();
};

/// How a value gets into the structs and out of them. Empty for the keys of list items.
struct Access {
  std::function<Value(const Config&)> get;
  std::function<void(Config&, const Value&)> set;
};

/// What a row of the table has where it says nothing.
inline constexpr std::string_view kNoText;
template <class T>
std::vector<T> none() {
  return {};
}

struct Key {
  std::string_view name;  ///< Dotted: "listen.s3".
  Type type;
  std::string_view help;
  Access access = {};
  Bounds bounds = {};
  std::vector<std::string_view> choices = none<std::string_view>();  ///< Type::enumeration
  std::string_view example = kNoText;  ///< For a key whose default says little.
  bool required = false;
  /// --print-config shows the example: with nothing there the default would not do.
  bool shown_by_example = false;
  bool secret = false;  ///< Its value is never printed, in errors neither.
  bool reload = false;  ///< Changes of the file it names are noticed while the daemon runs.
  std::vector<Key> items = none<Key>();  ///< Type::map_list: the keys of each map.
};

/// "listen" and what it is about, in the order of the table.
struct Section {
  std::string_view name;
  std::string_view help;
};

std::span<const Section> sections();
/// Ordered by section.
std::span<const Key> schema();
/// The keys of a credentials file.
std::span<const Key> credentials_schema();

bool is_scalar(const Key& key);
/// FOREBAY_ and the name in upper case, dots as underscores.
std::string environment_name(const Key& key);
/// What may stand there: "a size such as 4096, 64KiB or 4MiB, 32MiB to 16TiB".
std::string allowed(const Key& key);
/// The same for who knows the forms: "32MiB to 16TiB".
std::string allowed_briefly(const Key& key);

}  // namespace forebay::config
