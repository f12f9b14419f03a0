#include "http/text.hpp"

#include <forebay/base/errc.hpp>
#include <forebay/http/date.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

namespace forebay::http {
namespace {

constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 7> kLongDays{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                    "Thursday", "Friday", "Saturday"};

/// Reads a date from left to right; after the first thing that does not fit `ok` is false for good.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool done() const { return ok_ && rest_.empty(); }
  bool ok() const { return ok_; }

  void literal(std::string_view text) {
    if (rest_.starts_with(text))
      rest_.remove_prefix(text.size());
    else
      ok_ = false;
  }
  /// The index of the name that comes next.
  unsigned one_of(std::span<const std::string_view> names) {
    for (unsigned i = 0; i < names.size(); ++i) {
      if (rest_.starts_with(names[i])) {
        rest_.remove_prefix(names[i].size());
        return i;
      }
    }
    ok_ = false;
    return 0;
  }
  /// Exactly `count` digits.
  unsigned digits(std::size_t count) {
    const auto text = rest_.substr(0, count);
    const auto value = parse_decimal(text);
    if (text.size() != count || !value) {
      ok_ = false;
      return 0;
    }
    rest_.remove_prefix(count);
    return static_cast<unsigned>(*value);
  }
  /// asctime's day: two digits, or a space and one.
  unsigned padded_day() {
    if (!rest_.starts_with(' '))
      return digits(2);
    rest_.remove_prefix(1);
    return digits(1);
  }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

struct Fields {
  unsigned year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
};

void scan_time(Scanner& scanner, Fields& fields) {
  fields.hour = scanner.digits(2);
  scanner.literal(":");
  fields.minute = scanner.digits(2);
  scanner.literal(":");
  fields.second = scanner.digits(2);
}

bool scan_imf_fixdate(std::string_view text, Fields& fields) {
  Scanner scanner{text};
  scanner.one_of(kDays);
  scanner.literal(", ");
  fields.day = scanner.digits(2);
  scanner.literal(" ");
  fields.month = scanner.one_of(kMonths) + 1;
  scanner.literal(" ");
  fields.year = scanner.digits(4);
  scanner.literal(" ");
  scan_time(scanner, fields);
  scanner.literal(" GMT");
  return scanner.done();
}

bool scan_rfc850(std::string_view text, Fields& fields) {
  Scanner scanner{text};
  scanner.one_of(kLongDays);
  scanner.literal(", ");
  fields.day = scanner.digits(2);
  scanner.literal("-");
  fields.month = scanner.one_of(kMonths) + 1;
  scanner.literal("-");
  const auto year = scanner.digits(2);
  fields.year = year + (year < 70 ? 2000 : 1900);
  scanner.literal(" ");
  scan_time(scanner, fields);
  scanner.literal(" GMT");
  return scanner.done();
}

bool scan_asctime(std::string_view text, Fields& fields) {
  Scanner scanner{text};
  scanner.one_of(kDays);
  scanner.literal(" ");
  fields.month = scanner.one_of(kMonths) + 1;
  scanner.literal(" ");
  fields.day = scanner.padded_day();
  scanner.literal(" ");
  scan_time(scanner, fields);
  scanner.literal(" ");
  fields.year = scanner.digits(4);
  return scanner.done();
}

void append_padded(std::string& text, unsigned value, std::size_t width) {
  const auto digits = std::to_string(value);
  text.append(width - std::min(width, digits.size()), '0').append(digits);
}

}  // namespace

Result<sys_seconds> parse_date(std::string_view text) {
  Fields fields;
  if (!scan_imf_fixdate(text, fields) && !scan_rfc850(text, fields) && !scan_asctime(text, fields))
    return Errc::protocol;
  const std::chrono::year_month_day day{std::chrono::year{static_cast<int>(fields.year)},
                                        std::chrono::month{fields.month},
                                        std::chrono::day{fields.day}};
  // 60 is the leap second.
  if (!day.ok() || fields.hour > 23 || fields.minute > 59 || fields.second > 60)
    return Errc::protocol;
  const sys_seconds time = std::chrono::sys_days{day} + std::chrono::hours{fields.hour} +
                           std::chrono::minutes{fields.minute} +
                           std::chrono::seconds{fields.second};
  // The last leap second there could be would fall into a year that no date can write.
  if (time >= std::chrono::sys_days{std::chrono::year{10000} / 1 / 1})
    return Errc::protocol;
  return time;
}

std::string format_date(sys_seconds time) {
  const auto midnight = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day day{midnight};
  const std::chrono::hh_mm_ss clock{time - midnight};
  std::string text;
  text.reserve(29);
  text += kDays[std::chrono::weekday{midnight}.c_encoding()];
  text += ", ";
  append_padded(text, static_cast<unsigned>(day.day()), 2);
  text += ' ';
  text += kMonths[static_cast<unsigned>(day.month()) - 1];
  text += ' ';
  append_padded(text, static_cast<unsigned>(static_cast<int>(day.year())), 4);
  text += ' ';
  append_padded(text, static_cast<unsigned>(clock.hours().count()), 2);
  text += ':';
  append_padded(text, static_cast<unsigned>(clock.minutes().count()), 2);
  text += ':';
  append_padded(text, static_cast<unsigned>(clock.seconds().count()), 2);
  text += " GMT";
  return text;
}

}  // namespace forebay::http
