#pragma once
// How much memory the control group of this process may use.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace forebay::app {

/// The lowest limit on the way from the process's group up to the root of what is mounted: version
/// 2 (memory.max) and version 1 (memory.limit_in_bytes). nullopt where nothing limits. `membership`
/// is the text of /proc/self/cgroup (cgroups(7)); `mount` is /sys/fs/cgroup but in tests.
std::optional<std::uint64_t> cgroup_memory_limit(std::string_view membership,
                                                 const std::string& mount);

/// The same for this process.
std::optional<std::uint64_t> cgroup_memory_limit();

}  // namespace forebay::app
