#pragma once
// The conditions Forebay's own code reports. What S3 clients are told is decided in s3/error.hpp
// alone.
#include <forebay/base/result.hpp>

#include <type_traits>

namespace forebay {

enum class Errc {
  timeout = 1,     ///< A deadline passed.
  closed,          ///< The other side closed the connection cleanly where that is not an end.
  truncated,       ///< A body ended before its announced length.
  protocol,        ///< Bytes that are not valid HTTP, or not what was asked for.
  too_large,       ///< A header or body beyond its limit.
  overloaded,      ///< A bound (memory, connections, queue) is exhausted: try again later.
  unavailable,     ///< The origin cannot be reached.
  refused,         ///< The origin answered, and said no.
  redirected,      ///< The origin sends us to a host that is not allowed.
  changed,         ///< The object is no longer the version that was asked for.
  not_found,       ///< No such entry.
  corrupt,         ///< Bytes do not match their checksum or their header.
  device_failed,   ///< The block device reported an error or is marked bad.
  invalid_config,  ///< A configuration file or value that cannot be used.
  cancelled,       ///< Shutting down, or nobody wants the answer any more.
};

const boost::system::error_category& errc_category() noexcept;
Error make_error_code(Errc e) noexcept;

/// True for faults that another attempt may not meet: timeout, closed, truncated, overloaded,
/// unavailable.
bool is_retryable(const Error& error) noexcept;

}  // namespace forebay

template <>
struct boost::system::is_error_code_enum<forebay::Errc> : std::true_type {};
