#include <forebay/app/core_dumps.hpp>
#include <forebay/base/assert.hpp>

#include <sys/prctl.h>

namespace forebay::app {

void allow_core_dumps(bool allow) {
  const int set = ::prctl(PR_SET_DUMPABLE, allow ? 1UL : 0UL, 0UL, 0UL, 0UL);
  ASSERT(set == 0);
}

}  // namespace forebay::app
