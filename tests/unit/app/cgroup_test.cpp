#include "app/cgroup.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace forebay::app {
namespace {

namespace fs = std::filesystem;

/// A directory that stands for /sys/fs/cgroup.
class Mount {
 public:
  Mount() {
    std::string name = (fs::temp_directory_path() / "forebay-cgroup-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  Mount(const Mount&) = delete;
  Mount& operator=(const Mount&) = delete;
  ~Mount() { fs::remove_all(path_); }

  void write(const std::string& file, const std::string& text) const {
    fs::create_directories((path_ / file).parent_path());
    std::ofstream{path_ / file} << text << '\n';
  }
  std::string path() const { return path_.string(); }

 private:
  fs::path path_;
};

TEST(Cgroup, TakesTheLowestLimitOnTheWayUp) {
  struct Case {
    const char* name;
    const char* membership;
    std::vector<std::pair<const char*, const char*>> files;
    std::optional<std::uint64_t> limit;
  };
  const Case kCases[] = {
      {"version 2", "0::/a/b\n", {{"a/b/memory.max", "1000"}}, 1000},
      {"version 2 without a limit", "0::/a/b\n", {{"a/b/memory.max", "max"}}, std::nullopt},
      {"version 2, a parent is lower",
       "0::/a/b\n",
       {{"a/b/memory.max", "max"}, {"a/memory.max", "500"}, {"memory.max", "700"}},
       500},
      {"version 2, a container's root", "0::/\n", {{"memory.max", "900"}}, 900},
      {"version 2, the group is outside the mount",
       "0::/../elsewhere\n",
       {{"memory.max", "900"}},
       900},
      {"version 1",
       "12:cpu,cpuacct:/a\n5:memory:/a/b\n0::/\n",
       {{"memory/a/b/memory.limit_in_bytes", "2000"}},
       2000},
      {"version 1 without a limit",
       "5:memory:/a\n",
       {{"memory/a/memory.limit_in_bytes", "9223372036854771712"}},
       std::nullopt},
      {"version 1, a path of the host's",
       "5:memory:/docker/0123\n",
       {{"memory/memory.limit_in_bytes", "3000"}},
       3000},
      {"version 1 among others",
       "5:cpu,memory,pids:/a\n",
       {{"memory/a/memory.limit_in_bytes", "4000"}},
       4000},
      {"another controller",
       "5:hugetlb:/a\n",
       {{"memory/a/memory.limit_in_bytes", "4000"}},
       std::nullopt},
      {"nothing mounted", "0::/a\n", {}, std::nullopt},
      {"no groups", "", {{"memory.max", "1"}}, std::nullopt},
      {"nonsense", "what\n::\n", {{"memory.max", "1x"}}, std::nullopt},
  };
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.name);
    const Mount mount;
    for (const auto& [file, text] : test.files)
      mount.write(file, text);
    EXPECT_EQ(cgroup_memory_limit(test.membership, mount.path()), test.limit);
  }
}

}  // namespace
}  // namespace forebay::app
