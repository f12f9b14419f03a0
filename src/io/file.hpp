#pragma once
// Opens, locks and sizes what a device reads and writes.
#include <forebay/base/result.hpp>
#include <forebay/base/units.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace forebay::io {

/// Owns a file descriptor.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_{fd} {}
  UniqueFd(UniqueFd&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
  UniqueFd& operator=(UniqueFd other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~UniqueFd();

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

/// A slab file or raw device, locked against other processes for as long as it is open.
struct OpenFile {
  UniqueFd fd;
  std::string path;
  std::uint64_t size_bytes = 0;
  bool direct = false;  ///< O_DIRECT.
};

/// A regular file is created (mode 0600) and preallocated where it is absent or shorter, and cut
/// where it is longer. A block device must be at least `size_bytes` (0: all of it) and not in use.
/// One that another process holds is waited for, for `wait` at most: the kernel ends the rings of a
/// killed process, and with them its files, a moment after the process itself. Blocks the thread.
/// Logs why it cannot; Errc::device_failed.
Result<OpenFile> open_file(const std::string& path, std::uint64_t size_bytes,
                           milliseconds wait = milliseconds{5'000});

}  // namespace forebay::io
