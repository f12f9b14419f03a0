#pragma once
// forebay_origin_errors_total: what went wrong with the origin.
#include <forebay/base/result.hpp>

namespace forebay::origin {

enum class ErrorKind {
  connect,     ///< No connection could be made.
  timeout,     ///< A head or body stood still past its deadline.
  protocol,    ///< An answer that is no HTTP, or too long a head.
  truncated,   ///< The connection ended before the answer did.
  overloaded,  ///< No connection became free in time.
};

/// Any thread.
void count_error(ErrorKind kind);
/// The same for a failed read or write; nothing where the error is not the origin's.
void count_error(const Error& error);

}  // namespace forebay::origin
