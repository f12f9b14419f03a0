#include <forebay/base/glob.hpp>
#include <forebay/base/log.hpp>
#include <forebay/base/metrics.hpp>
#include <forebay/base/secret_file.hpp>
#include <forebay/origin/credentials.hpp>

#include <algorithm>
#include <mutex>
#include <utility>

namespace forebay::origin {
namespace {

class FileCredentialStore final : public CredentialStore {
 public:
  FileCredentialStore(std::string path, CredentialLoader load)
      : file_{"credentials file", std::move(path)}, load_{std::move(load)} {}

  Result<void> load() {
    CallerKeys keys;
    TRY(file_.read([this, &keys](const std::string& path) -> Result<void> {
      TRY(keys, load_(path));
      return success();
    }));
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
    if (!file_.changed())
      return;
    const Result<void> loaded = load();
    failed_.set(loaded ? 0 : 1);
    if (loaded)
      log::get("origin").info("credentials file {}: reloaded, {} keys", file_.path(),
                              count_.value());
    else
      log::get("origin").error("credentials file {}: not usable, the keys loaded before stay",
                               file_.path());
  }

 private:
  SecretFile file_;  ///< poll()'s thread only.
  CredentialLoader load_;
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
