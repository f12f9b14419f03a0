#include <forebay/base/errc.hpp>
#include <forebay/base/log.hpp>
#include <forebay/base/secret_file.hpp>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <climits>
#include <fmt/format.h>
#include <sys/stat.h>

namespace forebay {

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

std::optional<std::string> SecretFile::why_unfit(const Fingerprint& file) {
  constexpr mode_t kTooOpen = S_IRWXO | S_IWGRP;
  constexpr mode_t kPermissions = 07777;
  if (!S_ISREG(file.mode))
    return "not a regular file";
  if ((file.mode & kTooOpen) != 0)
    return fmt::format(
        "mode {:04o} is too open; allowed: readable by owner and group, writable by the owner "
        "(0400, 0440, 0600, 0640)",
        file.mode & kPermissions);
  return std::nullopt;
}

bool SecretFile::changed() const {
  return look(path_).value_or(Fingerprint{}) != tried_;
}

Result<void> SecretFile::read(const std::function<Result<void>(const std::string& path)>& load) {
  constexpr int kAttempts = 3;
  const auto unusable = [this](std::string_view why) -> Error {
    log::get("base").error("{} {}: {}", kind_, path_, why);
    return Errc::invalid_config;
  };
  tried_ = Fingerprint{};
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const std::optional<Fingerprint> file = look(path_);
    if (!file)
      return unusable(std::strerror(errno));
    tried_ = *file;
    if (const auto why = why_unfit(*file))
      return unusable(*why);
    const Result<void> loaded = load(path_);
    if (look(path_) == file)
      return loaded;
  }
  tried_ = Fingerprint{};
  return unusable("changes while it is read");
}

std::optional<std::string> why_unfit_for_secrets(const std::string& path) {
  const auto file = SecretFile::look(path);
  return file ? SecretFile::why_unfit(*file) : std::strerror(errno);
}

}  // namespace forebay
