#include <forebay/base/assert.hpp>

#include <cstdio>
#include <cstdlib>

namespace forebay::detail {

void assertion_failed(const char* expression, const char* file, int line) noexcept {
  std::fprintf(stderr, "forebay: assertion failed: %s at %s:%d\n", expression, file, line);
  std::abort();
}

}  // namespace forebay::detail
