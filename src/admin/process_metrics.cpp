#include "admin/process_metrics.hpp"

#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <string_view>
#include <system_error>

#include <sys/resource.h>
#include <unistd.h>

namespace forebay::admin {
namespace {

using metrics::Kind;
using metrics::Series;

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double cpu_seconds() {
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) != 0)
    return kUnknown;
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double open_descriptors() {
  std::error_code ec;
  double count = 0;
  for (std::filesystem::directory_iterator it{"/proc/self/fd", ec}, end; !ec && it != end;
       it.increment(ec))
    ++count;
  // One of them was the directory's own.
  return ec ? kUnknown : count - 1;
}

double descriptors_max() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? static_cast<double>(limit.rlim_cur) : kUnknown;
}

/// proc(5): size and resident, in pages.
double resident_bytes() {
  std::ifstream file{"/proc/self/statm"};
  double size = 0;
  double resident = 0;
  if (!(file >> size >> resident))
    return kUnknown;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

/// proc(5): field 22 of stat is the start in clock ticks since boot, btime of /proc/stat the boot.
double start_time() {
  std::ifstream own{"/proc/self/stat"};
  std::string text;
  std::getline(own, text);
  // The name, in parentheses, may hold spaces; what follows it is field 3 on.
  const auto name_end = text.rfind(')');
  if (name_end == std::string::npos)
    return kUnknown;
  std::istringstream fields{text.substr(name_end + 1)};
  std::string skipped;
  for (int field = 3; field < 22; ++field)
    fields >> skipped;
  double ticks = 0;
  if (!(fields >> ticks))
    return kUnknown;
  std::ifstream system{"/proc/stat"};
  for (std::string word; system >> word;) {
    double boot = 0;
    if (word == "btime" && system >> boot)
      return boot + ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
  }
  return kUnknown;
}

Series series(std::string name, std::string help, Kind kind, double (*read)()) {
  Series made;
  made.name = std::move(name);
  made.help = std::move(help);
  made.kind = kind;
  made.read = read;
  return made;
}

}  // namespace

std::vector<Series> process_series(const std::string& version) {
  Series build = series("forebay_build_info", "Which build this is; always 1.", Kind::gauge,
                        [] { return 1.0; });
  build.labels = {{"version", version}};
  return {
      std::move(build),
      series("process_cpu_seconds_total", "User and system CPU time.", Kind::counter, cpu_seconds),
      series("process_max_fds", "The most file descriptors it may open.", Kind::gauge,
             descriptors_max),
      series("process_open_fds", "File descriptors open.", Kind::gauge, open_descriptors),
      series("process_resident_memory_bytes", "Resident memory.", Kind::gauge, resident_bytes),
      series("process_start_time_seconds", "Start, in seconds since the epoch.", Kind::gauge,
             start_time),
  };
}

}  // namespace forebay::admin
