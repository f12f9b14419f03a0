#include "admin/process_metrics.hpp"

#include <array>
#include <fstream>
#include <limits>
#include <mutex>
#include <sstream>

#include <dirent.h>
#include <fcntl.h>
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

double descriptors_max() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? static_cast<double>(limit.rlim_cur) : kUnknown;
}

/// proc(5): field 22 of stat is the start in clock ticks since boot, btime of /proc/stat the boot.
double read_start_time() {
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

/// What is read at each scrape, opened once. Any thread.
class ProcessFiles {
 public:
  static ProcessFiles& instance() {
    static ProcessFiles files;
    return files;
  }
  ProcessFiles(const ProcessFiles&) = delete;
  ProcessFiles& operator=(const ProcessFiles&) = delete;

  /// Its own two among them.
  double open_descriptors() {
    if (descriptors_ == nullptr)
      return kUnknown;
    const std::lock_guard lock{mutex_};
    ::rewinddir(descriptors_);
    double count = 0;
    while (const dirent* entry = ::readdir(descriptors_)) {
      if (entry->d_name[0] != '.')
        ++count;
    }
    return count;
  }

  /// proc(5): size and resident, in pages.
  double resident_bytes() const {
    std::array<char, 128> text{};
    if (::pread(memory_, text.data(), text.size() - 1, 0) <= 0)
      return kUnknown;
    std::istringstream fields{text.data()};
    double size = 0;
    double resident = 0;
    if (!(fields >> size >> resident))
      return kUnknown;
    return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
  }

  double start_time() const { return start_time_; }

 private:
  ProcessFiles() = default;
  ~ProcessFiles() {
    if (descriptors_ != nullptr)
      ::closedir(descriptors_);
    if (memory_ >= 0)
      ::close(memory_);
  }

  std::mutex mutex_;  ///< Of descriptors_, which has one position.
  DIR* const descriptors_ = ::opendir("/proc/self/fd");
  const int memory_ = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  const double start_time_ = read_start_time();
};

Series series(std::string name, std::string help, Kind kind, double (*read)()) {
  Series made;
  made.name = std::move(name);
  made.help = std::move(help);
  made.kind = kind;
  made.read = read;
  return made;
}

}  // namespace

void open_process_files() {
  ProcessFiles::instance();
}

std::vector<Series> process_series(const std::string& version) {
  Series build = series("forebay_build_info", "Which build this is; always 1.", Kind::gauge,
                        [] { return 1.0; });
  build.labels = {{"version", version}};
  return {
      std::move(build),
      series("process_cpu_seconds_total", "User and system CPU time.", Kind::counter, cpu_seconds),
      series("process_max_fds", "The most file descriptors it may open.", Kind::gauge,
             descriptors_max),
      series("process_open_fds", "File descriptors open.", Kind::gauge,
             [] { return ProcessFiles::instance().open_descriptors(); }),
      series("process_resident_memory_bytes", "Resident memory.", Kind::gauge,
             [] { return ProcessFiles::instance().resident_bytes(); }),
      series("process_start_time_seconds", "Start, in seconds since the epoch.", Kind::gauge,
             [] { return ProcessFiles::instance().start_time(); }),
  };
}

}  // namespace forebay::admin
