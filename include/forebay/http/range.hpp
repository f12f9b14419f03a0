#pragma once
// The Range and Content-Range fields (RFC 9110 section 14). Pure.
#include <forebay/base/result.hpp>
#include <forebay/http/message.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace forebay::http {

/// Bytes `first` to `last` of an object, both included; never empty, so `first <= last`.
struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;

  std::uint64_t length() const { return last - first + 1; }
  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

/// One range as the client wrote it, before the size of the object is known. Numbers beyond 64 bits
/// are held at the largest: they lie behind the end of any object.
struct RangeSpec {
  enum class Form {
    closed,  ///< "first-last"
    open,    ///< "first-"
    suffix,  ///< "-length": the last `length` bytes
  };

  Form form = Form::closed;
  std::uint64_t first = 0;   ///< closed, open
  std::uint64_t last = 0;    ///< closed
  std::uint64_t length = 0;  ///< suffix; may be 0

  friend bool operator==(const RangeSpec&, const RangeSpec&) = default;
};

struct RangeRequest {
  enum class Kind {
    none,      ///< No field, or one that is malformed or in another unit: S3 ignores it and answers
               ///< 200.
    single,    ///< `spec` holds it.
    multiple,  ///< A list, several Range fields, or a number beyond 63 bits: what to answer is the
               ///< origin's to say.
  };

  Kind kind = Kind::none;
  RangeSpec spec;
};

/// Reads the value of a Range field. The unit compares without case.
RangeRequest parse_range(std::string_view value);
/// The same for a whole request.
RangeRequest parse_range(const Headers& request);

/// The bytes that `spec` selects in an object of `size` bytes, or nullopt where it selects none
/// (416).
std::optional<ByteRange> resolve(const RangeSpec& spec, std::uint64_t size);

/// "first-last", "first-" or "-length" behind "bytes=".
std::string format_range(const RangeSpec& spec);
std::string format_range(const ByteRange& range);

/// The value of a 206's Content-Range field: the bytes sent and the size of the whole object.
struct ContentRange {
  ByteRange range;
  std::uint64_t total = 0;

  friend bool operator==(const ContentRange&, const ContentRange&) = default;
};

/// Strict: "bytes 0-9/100" with first <= last < total. Errc::protocol otherwise, also for an
/// unknown total ("*") and for the form of a 416 ("bytes */100").
Result<ContentRange> parse_content_range(std::string_view value);
std::string format_content_range(const ContentRange& range);
/// What a 416 carries: "bytes */100".
std::string format_unsatisfied_range(std::uint64_t total);

}  // namespace forebay::http
