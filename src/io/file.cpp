#include "io/file.hpp"

#include <forebay/base/errc.hpp>
#include <forebay/base/log.hpp>
#include <forebay/base/units.hpp>
#include <forebay/io/block_device.hpp>

#include <cerrno>
#include <chrono>
#include <string_view>
#include <thread>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace forebay::io {
namespace {

constexpr ::mode_t kFileMode = 0600;
constexpr milliseconds kBusyPoll{10};

Error failed(const std::string& path, std::string_view what, int error) {
  log::get("io").error("{}: {}: {}", path, what,
                       Error{error, boost::system::system_category()}.message());
  return Errc::device_failed;
}

Result<void> resize_file(const OpenFile& file, std::uint64_t from, std::uint64_t to) {
  const int fd = file.fd.get();
  const auto size = static_cast<::off_t>(to);
  if (from > to) {
    log::get("io").warn("{}: is {} long, and cut to the configured {}", file.path,
                        format_size(from), format_size(to));
    if (::ftruncate(fd, size) != 0)
      return failed(file.path, "cannot be cut to its configured size", errno);
    return success();
  }
  if (from == to || ::fallocate(fd, 0, 0, size) == 0)
    return success();
  if (errno == EOPNOTSUPP) {
    log::get("io").warn("{}: the file system cannot preallocate; a full disk will be noticed late",
                        file.path);
    if (::ftruncate(fd, size) == 0)
      return success();
  }
  const int error = errno;
  // What was allocated before the disk was full is of no use to anybody.
  static_cast<void>(::ftruncate(fd, static_cast<::off_t>(from)) == 0);
  return failed(file.path, "cannot be preallocated to " + format_size(to), error);
}

Result<void> measure_device(OpenFile& file) {
  std::uint64_t actual = 0;
  int sector = 0;
  if (::ioctl(file.fd.get(), BLKGETSIZE64, &actual) != 0 ||
      ::ioctl(file.fd.get(), BLKSSZGET, &sector) != 0)
    return failed(file.path, "its size cannot be read", errno);
  if (sector <= 0 || kDeviceAlignment % static_cast<std::size_t>(sector) != 0)
    return failed(file.path, "its sectors are larger than 4 KiB", EINVAL);
  if (file.size_bytes == 0)
    file.size_bytes = align_down(actual, kDeviceAlignment);
  if (file.size_bytes > actual)
    return failed(file.path, "is shorter than the configured size", ENOSPC);
  return success();
}

/// Calls `attempt`, which returns true or leaves errno, until what it wants is no longer busy.
template <class Attempt>
bool retry_while_busy(Attempt attempt, milliseconds wait) {
  const auto deadline = std::chrono::steady_clock::now() + wait;
  while (!attempt()) {
    if ((errno != EWOULDBLOCK && errno != EBUSY) || std::chrono::steady_clock::now() >= deadline)
      return false;
    std::this_thread::sleep_for(kBusyPoll);
  }
  return true;
}

}  // namespace

UniqueFd::~UniqueFd() {
  if (fd_ >= 0)
    ::close(fd_);
}

Result<OpenFile> open_file(const std::string& path, std::uint64_t size_bytes, milliseconds wait) {
  struct stat status{};
  const bool exists = ::stat(path.c_str(), &status) == 0;
  if (exists && !S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode))
    return failed(path, "is neither a regular file nor a block device", EINVAL);
  const bool raw = exists && S_ISBLK(status.st_mode);
  // O_EXCL on a block device that exists: refused while it is mounted or otherwise in use.
  const int flags = O_RDWR | O_CLOEXEC | (raw ? O_EXCL : O_CREAT);
  OpenFile file;
  file.path = path;
  file.size_bytes = raw ? size_bytes : align_down(size_bytes, kDeviceAlignment);
  const auto open_direct = [&] {
    file.fd = UniqueFd{::open(path.c_str(), flags | O_DIRECT, kFileMode)};
    return static_cast<bool>(file.fd);
  };
  file.direct = retry_while_busy(open_direct, wait);
  if (!file.fd && errno == EINVAL) {
    file.fd = UniqueFd{::open(path.c_str(), flags, kFileMode)};
    if (file.fd)
      log::get("io").warn("{}: no O_DIRECT here: the page cache is used, and memory with it", path);
  }
  if (!file.fd)
    return failed(path, "cannot be opened", errno);
  const auto lock = [&file] { return ::flock(file.fd.get(), LOCK_EX | LOCK_NB) == 0; };
  if (!retry_while_busy(lock, wait))
    return failed(path, "is locked by another process", errno);
  if (raw) {
    TRY(measure_device(file));
    return file;
  }
  if (::fstat(file.fd.get(), &status) != 0)
    return failed(path, "its size cannot be read", errno);
  TRY(resize_file(file, static_cast<std::uint64_t>(status.st_size), file.size_bytes));
  return file;
}

}  // namespace forebay::io
