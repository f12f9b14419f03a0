#pragma once
// Result<T>: how every fallible function of Forebay returns. See docs/adr/0002-errors.md.
#include <boost/outcome/boost_result.hpp>
#include <boost/outcome/coroutine_support.hpp>
#include <boost/outcome/try.hpp>
#include <boost/system/error_code.hpp>

namespace forebay {

using Error = boost::system::error_code;

/// A value or an `Error`. `[[nodiscard]]`.
template <class T>
using Result = BOOST_OUTCOME_V2_NAMESPACE::boost_result<T>;

/// `return success();` from a function that returns `Result<void>`.
inline auto success() {
  return BOOST_OUTCOME_V2_NAMESPACE::success();
}

}  // namespace forebay

/// `TRY(auto x, f());`: x is the value, or the enclosing function returns the error. Several
/// statements: needs braces under an if.
#define TRY(...) BOOST_OUTCOME_TRY(__VA_ARGS__)
/// The same inside a coroutine: `CO_TRY(auto x, co_await f());`.
#define CO_TRY(...) BOOST_OUTCOME_CO_TRY(__VA_ARGS__)
