#include <forebay/base/assert.hpp>
#include <forebay/base/log.hpp>

#include <array>
#include <cstdio>
#include <cstdlib>

namespace forebay::detail {

void assertion_failed(const char* expression, const char* file, int line) noexcept {
  std::array<char, 1024> text{};
  std::snprintf(text.data(), text.size(), "forebay: assertion failed: %s at %s:%d\n", expression,
                file, line);
  log::last_words(text.data());
  std::abort();
}

}  // namespace forebay::detail
