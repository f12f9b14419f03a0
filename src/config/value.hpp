#pragma once
// What one key of a file holds, once its text has been understood.
#include <forebay/base/secret.hpp>
#include <forebay/base/units.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace forebay::config {

struct Record;

/// text, enumeration, host:port, url, path -> string; size and integer -> uint64; a text whose key
/// is secret -> Secret.
using Value = std::variant<std::string, std::uint64_t, double, bool, milliseconds,
                           std::vector<std::string>, std::vector<Record>, Secret>;

/// Of a std::string or a Secret. Valid as long as the value.
std::string_view text_of(const Value& value);

/// The keys of one map: by dotted name, those that were given and those that have a default.
struct Record {
  std::map<std::string, Value> values;

  template <class T>
  T get(const std::string& name, const T& otherwise = T{}) const {
    const auto found = values.find(name);
    return found == values.end() ? otherwise : std::get<T>(found->second);
  }
};

}  // namespace forebay::config
