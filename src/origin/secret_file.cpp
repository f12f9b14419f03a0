#include "origin/secret_file.hpp"

#include <forebay/base/errc.hpp>
#include <forebay/base/log.hpp>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <climits>
#include <sys/stat.h>

namespace forebay::origin {

/// The file as it is now; nullopt, with errno set, where there is none.
std::optional<SecretFile::Fingerprint> SecretFile::look(const std::string& path) {
  constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;
  char resolved[PATH_MAX];
  struct stat status{};
  if (::realpath(path.c_str(), resolved) == nullptr || ::stat(resolved, &status) != 0)
    return std::nullopt;
  return Fingerprint{
      resolved,       status.st_dev,
      status.st_ino,  status.st_mode,
      status.st_size, status.st_mtim.tv_sec * kNanosecondsPerSecond + status.st_mtim.tv_nsec};
}

/// Whether secrets may lie there.
Result<void> SecretFile::check_access(const std::string& path, const Fingerprint& file) {
  constexpr mode_t kTooOpen = S_IRWXO | S_IWGRP;
  constexpr mode_t kPermissions = 07777;
  if (!S_ISREG(file.mode)) {
    log::get("origin").error("credentials file {}: not a regular file", path);
    return Errc::invalid_config;
  }
  if ((file.mode & kTooOpen) != 0) {
    log::get("origin").error(
        "credentials file {}: mode {:04o} is too open; allowed: readable by owner and group, "
        "writable by the owner "
        "(0400, 0440, 0600, 0640)",
        path, file.mode & kPermissions);
    return Errc::invalid_config;
  }
  return success();
}

bool SecretFile::changed() const {
  return look(path_).value_or(Fingerprint{}) != tried_;
}

Result<void> SecretFile::read(const std::function<Result<void>(const std::string& path)>& load) {
  constexpr int kAttempts = 3;
  tried_ = Fingerprint{};
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const std::optional<Fingerprint> file = look(path_);
    if (!file) {
      log::get("origin").error("credentials file {}: {}", path_, std::strerror(errno));
      return Errc::invalid_config;
    }
    tried_ = *file;
    TRY(check_access(path_, *file));
    const Result<void> loaded = load(path_);
    if (look(path_) == file)
      return loaded;
  }
  tried_ = Fingerprint{};
  log::get("origin").error("credentials file {}: changes while it is read", path_);
  return Errc::invalid_config;
}

}  // namespace forebay::origin
