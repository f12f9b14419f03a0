#include <forebay/base/errc.hpp>
#include <forebay/base/glob.hpp>
#include <forebay/base/log.hpp>
#include <forebay/base/metrics.hpp>
#include <forebay/origin/credentials.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <optional>
#include <utility>

#include <climits>
#include <sys/stat.h>

namespace forebay::origin {
namespace {

/// What tells one state of the file from another.
struct Fingerprint {
  std::string target;  ///< Symlinks resolved: Kubernetes swaps one of them.
  dev_t device = 0;
  ino_t inode = 0;
  mode_t mode = 0;
  off_t size = 0;
  std::int64_t modified_ns = 0;

  bool operator==(const Fingerprint&) const = default;
};

/// The file as it is now; nullopt, with errno set, where there is none.
std::optional<Fingerprint> look(const std::string& path) {
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
Result<void> check_access(const std::string& path, const Fingerprint& file) {
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

class FileCredentialStore final : public CredentialStore {
 public:
  FileCredentialStore(std::string path, CredentialLoader load)
      : path_{std::move(path)}, load_{std::move(load)} {}

  Result<void> load() {
    TRY(CallerKeys keys, read());
    count_.set(static_cast<std::int64_t>(keys.size()));
    auto fresh = std::make_shared<const CallerKeys>(std::move(keys));
    const std::lock_guard lock{mutex_};
    keys_.swap(fresh);
    return success();
  }

  std::shared_ptr<const CallerKey> find(std::string_view access_key) const override {
    std::shared_ptr<const CallerKeys> keys;
    {
      const std::lock_guard lock{mutex_};
      keys = keys_;
    }
    const auto it = keys->find(std::string{access_key});
    return it == keys->end() ? nullptr : it->second;
  }

  void poll() override {
    const std::optional<Fingerprint> file = look(path_);
    if (file.value_or(Fingerprint{}) == tried_)
      return;
    tried_ = Fingerprint{};
    const Result<void> loaded = load();
    failed_.set(loaded ? 0 : 1);
    if (loaded)
      log::get("origin").info("credentials file {}: reloaded, {} keys", path_, count_.value());
    else
      log::get("origin").error("credentials file {}: not usable, the keys loaded before stay",
                               path_);
  }

 private:
  /// What is taken is of one file that was looked at, neither half of a change nor a file slipped
  /// in behind the check.
  Result<CallerKeys> read() {
    constexpr int kAttempts = 3;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      const std::optional<Fingerprint> file = look(path_);
      if (!file) {
        log::get("origin").error("credentials file {}: {}", path_, std::strerror(errno));
        return Errc::invalid_config;
      }
      tried_ = *file;
      TRY(check_access(path_, *file));
      auto keys = load_(path_);
      if (look(path_) == file)
        return keys;
    }
    tried_ = Fingerprint{};
    log::get("origin").error("credentials file {}: changes while it is read", path_);
    return Errc::invalid_config;
  }

  std::string path_;
  CredentialLoader load_;
  Fingerprint tried_;  ///< Of the file loaded or refused last; none where it was missing. poll()'s
                       ///< thread only.
  mutable std::mutex mutex_;
  std::shared_ptr<const CallerKeys> keys_;  ///< Guarded by mutex_.
  metrics::Gauge& failed_ = metrics::Registry::instance().gauge(
      "forebay_credentials_reload_failed", "1 while the credentials file cannot be used.");
  metrics::Gauge& count_ =
      metrics::Registry::instance().gauge("forebay_credentials_keys", "Key pairs loaded.");
};

}  // namespace

bool CallerKey::allows(std::string_view bucket, bool write) const {
  if (allow.empty())
    return true;
  return std::any_of(allow.begin(), allow.end(), [bucket, write](const Grant& grant) {
    return !bucket.empty() && glob_matches(grant.bucket, bucket) && !(write && grant.read_only);
  });
}

Result<std::unique_ptr<CredentialStore>> CredentialStore::open(std::string path,
                                                               CredentialLoader load) {
  auto store = std::make_unique<FileCredentialStore>(std::move(path), std::move(load));
  TRY(store->load());
  return store;
}

}  // namespace forebay::origin
