#pragma once
// Whether the memory of this process, which holds keys, may leave it.

namespace forebay::app {

/// Sets PR_SET_DUMPABLE (prctl(2)): without it there is no core file, whatever the limits and
/// core_pattern say, and no other process of the same user may attach or read /proc/PID/mem.
void allow_core_dumps(bool allow);

}  // namespace forebay::app
