#include "app/daemon.hpp"

#include "app/status.hpp"
#include "app/version.hpp"

#include <forebay/config/credentials.hpp>

#include <thread>
#include <utility>

namespace forebay::app {
namespace {

/// How often a drain looks whether the last connection has gone.
constexpr milliseconds kInterval{20};

Task<Result<admin::PurgeOutcome>> purge_cache(proxy::Proxy* proxy, std::string bucket,
                                              std::string prefix) {
  const cache::Purged purged = co_await proxy->purge(std::move(bucket), std::move(prefix));
  admin::PurgeOutcome outcome{.purged = purged.blocks};
  for (const auto& [device, blocks] : purged.unreached)
    outcome.unreached.push_back({device, blocks});
  co_return std::move(outcome);
}

}  // namespace

Result<std::unique_ptr<Daemon>> Daemon::start(const config::Config& config) {
  std::unique_ptr<Daemon> daemon{new Daemon{config}};
  TRY(daemon->build());
  daemon->ready_ = true;
  return daemon;
}

Result<void> Daemon::build() {
  workers_ = std::make_unique<runtime::WorkerPool>(config_.runtime);
  pool_ = std::make_unique<io::BufferPool>(config_.pool);
  pool_metrics_.emplace(*pool_);
  if (!config_.cache.disk.devices.empty()) {
    TRY(engine_, io::IoEngine::create(config_.io, *workers_));
  }
  TRY(cache_, cache::BlockCache::create(config_.cache, *pool_, engine_.get(), *workers_));
  TRY(client_, origin::Client::create(config_.origin));
  TRY(node_credentials_, origin::NodeCredentials::create(config_.fill_credentials));
  node_credentials_->poll(*workers_);
  if (config_.proxy.auth_mode == proxy::AuthMode::verify) {
    TRY(credentials_,
        origin::CredentialStore::open(config_.auth.credentials_file, config::load_credentials));
  }
  auto node_credential = [this] { return node_credentials_->current(); };
  proxy::ProxyParts parts{*client_, credentials_.get(), std::move(node_credential), *cache_};
  proxy_ = std::make_shared<proxy::Proxy>(config_.proxy, config_.s3, std::move(parts));
  TRY(start_admin());
  TRY(listener_, net::Listener::start(*workers_, config_.s3, proxy_));
  return success();
}

Result<void> Daemon::start_admin() {
  admin::AdminHooks hooks;
  hooks.version = version();
  hooks.ready = [this] { return ready_.load(); };
  hooks.status_json = [this] { return status_json(); };
  hooks.purge = [proxy = proxy_.get()](std::string bucket, std::string prefix) {
    return purge_cache(proxy, std::move(bucket), std::move(prefix));
  };
  TRY(admin_, admin::AdminServer::start(*workers_, config_.admin, std::move(hooks)));
  return success();
}

std::string Daemon::status_json() const {
  return app::status_json({.ready = ready_.load(),
                           .uptime = Clock::now() - started_,
                           .engine = engine_ ? engine_->name() : "none",
                           .workers = *workers_,
                           .pool = *pool_,
                           .cache = *cache_});
}

void Daemon::poll() {
  if (credentials_)
    credentials_->poll();
  node_credentials_->poll(*workers_);
  admin_->poll();
}

void Daemon::stop() {
  // What exchanges in progress may still need goes on until they are gone, and so does the admin
  // port, which meanwhile says that the node is not ready.
  ready_ = false;
  if (proxy_)
    proxy_->stop();
  if (listener_) {
    listener_->stop();
    while (listener_->connections() != 0) {
      // A long drain may outlive a key pair.
      node_credentials_->poll(*workers_);
      std::this_thread::sleep_for(kInterval);
    }
  }
  if (admin_)
    admin_->stop();
  if (cache_)
    cache_->stop();
  workers_->drain(Deadline::never());
  if (client_)
    workers_->run_on_each([this](runtime::Worker&) { client_->stop(); });
  stopped_ = true;
}

Daemon::~Daemon() {
  // Where building it failed halfway, what there is must be ended first.
  if (workers_ && !stopped_)
    stop();
}

}  // namespace forebay::app
