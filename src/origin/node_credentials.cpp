#include "origin/credential_provider.hpp"
#include "origin/refresh_schedule.hpp"

#include <forebay/base/errc.hpp>
#include <forebay/base/file.hpp>
#include <forebay/base/log.hpp>
#include <forebay/base/metrics.hpp>
#include <forebay/base/secret_file.hpp>
#include <forebay/origin/node_credentials.hpp>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <random>
#include <utility>

namespace forebay::origin {
namespace {

using std::chrono::sys_seconds;

struct RefreshMetrics {
  static metrics::Counter& refreshes(const char* result) {
    return metrics::Registry::instance().counter(
        "forebay_origin_credentials_refresh_total",
        "Attempts to obtain the node's own credentials, by result.", {{"result", result}});
  }

  metrics::Counter& ok = refreshes("ok");
  metrics::Counter& failed = refreshes("failed");
  metrics::Gauge& expiry = metrics::Registry::instance().gauge(
      "forebay_origin_credentials_expiry_seconds",
      "When the node's own credentials expire, in Unix time; 0 where there are none, or they do "
      "not expire.");

  static RefreshMetrics& get() {
    static RefreshMetrics instance;
    return instance;
  }
};

/// Logs why there is no pair.
Result<s3::Credential> checked(Fetched<s3::Credential> fetched, const std::string& source) {
  if (fetched)
    return std::move(fetched).value();
  log::get("origin").error("credentials from {}: {}", source, fetched.error().text);
  return Errc::invalid_config;
}

/// The same from the start to the end.
class FixedCredentials final : public NodeCredentials {
 public:
  explicit FixedCredentials(std::shared_ptr<const s3::Credential> credential)
      : credential_{std::move(credential)} {}

  std::shared_ptr<const s3::Credential> current() const override { return credential_; }
  void poll(runtime::WorkerPool&) override {}

 private:
  std::shared_ptr<const s3::Credential> credential_;
};

/// One profile of a shared credentials file.
class FileCredentials final : public NodeCredentials {
 public:
  FileCredentials(const std::string& path, std::string profile)
      : file_{"credentials file", path}, profile_{std::move(profile)} {}

  Result<void> load() {
    s3::Credential credential;
    const Result<void> loaded = file_.read([&](const std::string& path) -> Result<void> {
      TRY(credential, checked(parse(path), path));
      return success();
    });
    (loaded ? RefreshMetrics::get().ok : RefreshMetrics::get().failed).add();
    TRY(loaded);
    auto fresh = std::make_shared<const s3::Credential>(std::move(credential));
    const std::lock_guard lock{mutex_};
    credential_.swap(fresh);
    return success();
  }

  std::shared_ptr<const s3::Credential> current() const override {
    const std::lock_guard lock{mutex_};
    return credential_;
  }

  void poll(runtime::WorkerPool&) override {
    if (!file_.changed())
      return;
    if (load())
      log::get("origin").info("credentials from {}: reloaded", file_.path());
    else
      log::get("origin").error("credentials from {}: not usable, those loaded before stay",
                               file_.path());
  }

 private:
  Fetched<s3::Credential> parse(const std::string& path) const {
    auto read = read_file(path, kCredentialDocumentSizeMax);
    if (!read)
      return Problem{read.error().message()};
    const Secret text{std::move(read).value()};
    if (text.size() > kCredentialDocumentSizeMax)
      return Problem{"too large"};
    return parse_profile(text, profile_);
  }

  SecretFile file_;  ///< poll()'s thread only.
  std::string profile_;
  mutable std::mutex mutex_;
  std::shared_ptr<const s3::Credential> credential_;  ///< Guarded by mutex_.
};

/// What a provider issued, shared with the task that asks it.
class Issued {
 public:
  Issued(std::unique_ptr<CredentialProvider> provider, Surroundings surroundings, const char* name)
      : provider_{std::move(provider)}, surroundings_{std::move(surroundings)}, name_{name} {}

  std::shared_ptr<const s3::Credential> current() const {
    const std::lock_guard lock{mutex_};
    if (!issued_ || surroundings_.now() >= issued_->expires)
      return nullptr;
    return {issued_, &issued_->credential};
  }

  /// Whether the caller is to run refresh() now.
  bool begin() {
    const std::lock_guard lock{mutex_};
    const sys_seconds now = surroundings_.now();
    if (issued_ && now >= issued_->expires) {
      log::get("origin").error("credentials from {}: expired", name_);
      issued_.reset();
      RefreshMetrics::get().expiry.set(0);
    }
    // A clock that was put back must not put off what is due.
    if (running_ || (now < due_ && now >= begun_))
      return false;
    running_ = true;
    begun_ = now;
    return true;
  }

  static Task<void> refresh(std::shared_ptr<Issued> self) {
    const Running running{self};
    const Deadline deadline = Deadline::after(NodeCredentials::kRefreshTimeout);
    auto fetched = co_await self->provider_->fetch(deadline);
    self->settle(std::move(fetched));
  }

 private:
  /// One refresh(), however it ends.
  struct Running {
    explicit Running(std::shared_ptr<Issued> which) : issued{std::move(which)} {}
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    ~Running() {
      const std::lock_guard lock{issued->mutex_};
      issued->running_ = false;
    }

    std::shared_ptr<Issued> issued;
  };

  void settle(Fetched<IssuedCredential> fetched) {
    const std::lock_guard lock{mutex_};
    const sys_seconds now = surroundings_.now();
    if (fetched && fetched.value().expires <= now)
      fetched = Problem{"what the answer holds has expired"};
    if (fetched)
      accept(std::move(fetched).value(), now);
    else
      reject(fetched.error(), now);
  }

  void accept(IssuedCredential issued, sys_seconds now) {
    const auto life = issued.expires - now;
    if (!issued_ || failures_ != 0)
      log::get("origin").info("credentials from {}: obtained, for {} s", name_, life.count());
    failures_ = 0;
    due_ = now + until_refresh(life, surroundings_.random());
    issued_ = std::make_shared<const IssuedCredential>(std::move(issued));
    RefreshMetrics::get().ok.add();
    RefreshMetrics::get().expiry.set(issued_->expires.time_since_epoch().count());
  }

  void reject(const Problem& problem, sys_seconds now) {
    if (++failures_ == 1)
      log::get("origin").warn("credentials from {}: {}; asking again until it works", name_,
                              problem.text);
    due_ = now + until_retry(failures_, surroundings_.random());
    RefreshMetrics::get().failed.add();
  }

  std::unique_ptr<CredentialProvider> provider_;
  Surroundings surroundings_;
  const char* name_;

  // Guarded by mutex_.
  mutable std::mutex mutex_;
  std::shared_ptr<const IssuedCredential> issued_;
  sys_seconds due_{};    ///< The next attempt.
  sys_seconds begun_{};  ///< The last one.
  int failures_ = 0;     ///< Since the last success.
  bool running_ = false;
};

/// Issued for a while, and renewed.
class RefreshedCredentials final : public NodeCredentials {
 public:
  RefreshedCredentials(std::unique_ptr<CredentialProvider> provider, Surroundings surroundings,
                       const char* name)
      : issued_{std::make_shared<Issued>(std::move(provider), std::move(surroundings), name)} {}

  std::shared_ptr<const s3::Credential> current() const override { return issued_->current(); }

  void poll(runtime::WorkerPool& workers) override {
    if (issued_->begin())
      workers.spawn_on(0, "refresh of credentials", &Issued::refresh, issued_);
  }

 private:
  std::shared_ptr<Issued> issued_;
};

Result<std::unique_ptr<NodeCredentials>> make_fixed(s3::Credential credential,
                                                    const std::string& source) {
  TRY(auto good, checked(usable(std::move(credential)), source));
  return std::make_unique<FixedCredentials>(
      std::make_shared<const s3::Credential>(std::move(good)));
}

Result<std::unique_ptr<NodeCredentials>> refreshed(
    Result<std::unique_ptr<CredentialProvider>> provider, Surroundings surroundings,
    const char* name) {
  TRY(auto made, std::move(provider));
  return std::make_unique<RefreshedCredentials>(std::move(made), std::move(surroundings), name);
}

}  // namespace

Surroundings Surroundings::real() {
  return {
      .variable =
          [](const char* name) {
            const char* const value = std::getenv(name);
            return value == nullptr ? std::string{} : std::string{value};
          },
      .now =
          [] { return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()); },
      .random =
          [] {
            thread_local std::minstd_rand engine{std::random_device{}()};
            return std::uniform_real_distribution<double>{0, 1}(engine);
          }};
}

Result<std::unique_ptr<NodeCredentials>> NodeCredentials::create(
    const NodeCredentialsConfig& config, Surroundings surroundings) {
  switch (config.source) {
    case CredentialSource::none:
      return std::make_unique<FixedCredentials>(nullptr);
    case CredentialSource::fixed:
      return make_fixed({config.access_key, config.secret_key, config.session_token},
                        "the configuration");
    case CredentialSource::environment:
      return make_fixed({surroundings.variable("AWS_ACCESS_KEY_ID"),
                         surroundings.variable("AWS_SECRET_ACCESS_KEY"),
                         surroundings.variable("AWS_SESSION_TOKEN")},
                        "the environment");
    case CredentialSource::file: {
      auto credentials = std::make_unique<FileCredentials>(config.file, config.profile);
      TRY(credentials->load());
      return credentials;
    }
    case CredentialSource::web_identity:
      return refreshed(make_web_identity(config, surroundings), surroundings, "web identity");
    case CredentialSource::container:
      return refreshed(make_container(config, surroundings), surroundings,
                       "the container's endpoint");
    case CredentialSource::instance_metadata:
      return refreshed(make_instance_metadata(config), surroundings, "instance metadata");
  }
  return Errc::invalid_config;
}

}  // namespace forebay::origin
