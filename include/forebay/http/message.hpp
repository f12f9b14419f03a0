#pragma once
// Plain request and response heads. No I/O, no Beast: net/ converts.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace forebay::http {

/// Header fields in arrival order; names compare without case (RFC 9110 section 5.1) and keep their
/// spelling.
class Headers {
 public:
  struct Field {
    std::string name;
    std::string value;
  };

  void add(std::string name, std::string value) {
    // Most heads have no more fields than that.
    constexpr std::size_t kUsual = 16;
    if (fields_.capacity() == 0)
      fields_.reserve(kUsual);
    fields_.push_back({std::move(name), std::move(value)});
  }
  /// Replaces every field of that name by one.
  void set(std::string_view name, std::string value);
  void remove(std::string_view name);
  /// The first value of that name. Valid until the headers change.
  std::optional<std::string_view> get(std::string_view name) const;
  /// get(), or "" where absent.
  std::string_view value_or_empty(std::string_view name) const { return get(name).value_or(""); }
  bool contains(std::string_view name) const { return get(name).has_value(); }
  std::size_t count(std::string_view name) const;

  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }
  std::size_t size() const { return fields_.size(); }
  /// Removes the fields for which predicate(const Field&) is true.
  template <class Predicate>
  void remove_if(Predicate predicate) {
    std::erase_if(fields_, predicate);
  }

 private:
  std::vector<Field> fields_;
};

/// ASCII, without case.
bool iequals(std::string_view a, std::string_view b);
/// ASCII lower case.
std::string to_lower(std::string_view text);

struct RequestHead {
  std::string method;     ///< "GET"
  std::string target;     ///< As sent, origin-form: "/bucket/key?query", still percent-encoded.
  int minor_version = 1;  ///< HTTP/1.<minor_version>
  Headers headers;
};

struct ResponseHead {
  int status = 0;
  std::string reason;  ///< May be empty.
  int minor_version = 1;
  Headers headers;
};

/// How the length of a body is known (RFC 9112 section 6.3).
enum class Framing { none, length, chunked, until_close };

struct BodyFraming {
  Framing framing = Framing::none;
  std::uint64_t length = 0;  ///< Only for Framing::length.
};

}  // namespace forebay::http
