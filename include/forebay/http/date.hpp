#pragma once
// HTTP dates (RFC 9110 section 5.6.7). Pure.
#include <forebay/base/result.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace forebay::http {

using std::chrono::sys_seconds;

/// Reads IMF-fixdate and, as recipients must, RFC 850 and asctime dates; always GMT. Two-digit
/// years below 70 are of this century. A weekday that does not fit the date is ignored; every other
/// deviation is Errc::protocol.
Result<sys_seconds> parse_date(std::string_view text);

/// IMF-fixdate: "Fri, 24 May 2013 00:00:00 GMT". The year must have four digits.
std::string format_date(sys_seconds time);

}  // namespace forebay::http
