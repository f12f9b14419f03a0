#pragma once
// ASSERT: an invariant of our own, checked in release too. Bytes from disk, peers or clients are
// never asserted about: they are errors.

namespace forebay::detail {
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line) noexcept;
}

#define ASSERT(expression) \
  ((expression) ? void(0) : ::forebay::detail::assertion_failed(#expression, __FILE__, __LINE__))
