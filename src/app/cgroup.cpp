#include "app/cgroup.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace forebay::app {
namespace {

namespace fs = std::filesystem;

/// Version 1 writes a huge number for "no limit".
constexpr std::uint64_t kUnlimited = std::uint64_t{1} << 60;

std::optional<std::uint64_t> read_limit(const fs::path& file) {
  std::ifstream stream{file};
  std::string text;
  if (!(stream >> text))
    return std::nullopt;
  std::uint64_t limit = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), limit);
  const bool whole = end == text.data() + text.size();
  if (ec != std::errc{} || !whole || limit >= kUnlimited)
    return std::nullopt;
  return limit;
}

/// The lowest limit of `group` and what holds it, within `root`. Inside a container the group's own
/// path may not exist below the mount: the levels that do still count.
std::optional<std::uint64_t> lowest_limit(const fs::path& root, std::string_view group,
                                          const char* file) {
  std::optional<std::uint64_t> lowest;
  fs::path relative = fs::path{group}.lexically_normal().relative_path();
  for (;;) {
    const auto limit = read_limit(root / relative / file);
    if (limit && (!lowest || *limit < *lowest))
      lowest = limit;
    if (relative.empty())
      return lowest;
    relative = relative.parent_path();
  }
}

bool names_memory(std::string_view controllers) {
  while (!controllers.empty()) {
    const auto comma = controllers.find(',');
    if (controllers.substr(0, comma) == "memory")
      return true;
    controllers.remove_prefix(comma == std::string_view::npos ? controllers.size() : comma + 1);
  }
  return false;
}

}  // namespace

std::optional<std::uint64_t> cgroup_memory_limit(std::string_view membership,
                                                 const std::string& mount) {
  std::optional<std::uint64_t> lowest;
  while (!membership.empty()) {
    const std::string_view line = membership.substr(0, membership.find('\n'));
    membership.remove_prefix(std::min(membership.size(), line.size() + 1));
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos)
      continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const std::string_view group = line.substr(second + 1);
    std::optional<std::uint64_t> limit;
    if (controllers.empty())
      limit = lowest_limit(mount, group, "memory.max");
    else if (names_memory(controllers))
      limit = lowest_limit(fs::path{mount} / "memory", group, "memory.limit_in_bytes");
    if (limit && (!lowest || *limit < *lowest))
      lowest = limit;
  }
  return lowest;
}

std::optional<std::uint64_t> cgroup_memory_limit() {
  std::ifstream stream{"/proc/self/cgroup"};
  const std::string membership{std::istreambuf_iterator<char>{stream}, {}};
  return cgroup_memory_limit(membership, "/sys/fs/cgroup");
}

}  // namespace forebay::app
