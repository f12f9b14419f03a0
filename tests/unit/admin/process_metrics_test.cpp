#include "admin/process_metrics.hpp"

#include <algorithm>
#include <map>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

namespace forebay::admin {
namespace {

TEST(ProcessSeries, ReadsThisProcess) {
  std::map<std::string, double> values;
  const auto series = process_series("1.2.3");
  for (const auto& one : series)
    values[one.name] = one.read();
  EXPECT_TRUE(std::is_sorted(series.begin(), series.end(),
                             [](const auto& a, const auto& b) { return a.name < b.name; }));
  EXPECT_EQ(series.front().labels, (metrics::Labels{{"version", "1.2.3"}}));
  EXPECT_EQ(values["forebay_build_info"], 1);
  EXPECT_GT(values["process_resident_memory_bytes"], 1e6);
  EXPECT_LT(values["process_resident_memory_bytes"], 1e11);
  EXPECT_GT(values["process_cpu_seconds_total"], 0);
  EXPECT_GE(values["process_open_fds"], 3);
  EXPECT_GT(values["process_max_fds"], values["process_open_fds"]);
  // After 2020, whenever the test runs.
  EXPECT_GT(values["process_start_time_seconds"], 1'577'836'800);
}

TEST(ProcessSeries, AreReadInAShortageOfDescriptors) {
  open_process_files();
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  std::map<std::string, double> values;
  for (const auto& one : process_series(""))
    values[one.name] = one.read();
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_GE(values["process_open_fds"], 3);
  EXPECT_GT(values["process_resident_memory_bytes"], 1e6);
}

TEST(ProcessSeries, CountsDescriptors) {
  const auto count = [] {
    for (const auto& one : process_series("")) {
      if (one.name == "process_open_fds")
        return one.read();
    }
    return -1.0;
  };
  const double before = count();
  const int descriptor = ::dup(0);
  EXPECT_EQ(count(), before + 1);
  ::close(descriptor);
}

}  // namespace
}  // namespace forebay::admin
