#pragma once
// One node: everything it is made of, put up in layer order and taken down in reverse.
#include "app/pool_metrics.hpp"

#include <forebay/admin/server.hpp>
#include <forebay/cache/block_cache.hpp>
#include <forebay/config/config.hpp>
#include <forebay/io/block_device.hpp>
#include <forebay/io/buffer_pool.hpp>
#include <forebay/net/listener.hpp>
#include <forebay/origin/client.hpp>
#include <forebay/origin/credentials.hpp>
#include <forebay/origin/node_credentials.hpp>
#include <forebay/proxy/proxy.hpp>
#include <forebay/runtime/worker.hpp>

#include <atomic>
#include <memory>
#include <optional>

namespace forebay::app {

/// Made, polled, stopped and destroyed on one thread that is no worker's.
class Daemon {
 public:
  /// Serves when it returns. What is wrong is logged where it is noticed; nothing is left running.
  static Result<std::unique_ptr<Daemon>> start(const config::Config& config);
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;
  ~Daemon();

  /// What is due about once a second: the credentials file, the node's own key pair, the admin
  /// port's token.
  void poll();

  /// Accepts no more, and returns when every exchange in progress and every task has ended. How
  /// long that may take is the caller's to limit: the process can be left with _exit at any time,
  /// the disk's format survives that.
  void stop();

  std::uint16_t s3_port() const { return listener_->port(); }
  std::uint16_t admin_port() const { return admin_->port(); }

 private:
  explicit Daemon(const config::Config& config) : config_{config} {}
  Result<void> build();
  Result<void> start_admin();
  std::string status_json() const;

  config::Config config_;
  TimePoint started_ = Clock::now();
  std::atomic<bool> ready_{false};
  bool stopped_ = false;

  // In layer order: a later one uses earlier ones.
  std::unique_ptr<runtime::WorkerPool> workers_;
  std::unique_ptr<io::BufferPool> pool_;
  std::optional<PoolMetrics> pool_metrics_;
  std::unique_ptr<io::IoEngine> engine_;  ///< Null without devices.
  std::unique_ptr<cache::BlockCache> cache_;
  std::unique_ptr<origin::Client> client_;
  std::unique_ptr<origin::NodeCredentials> node_credentials_;
  std::unique_ptr<origin::CredentialStore> credentials_;
  std::shared_ptr<proxy::Proxy> proxy_;
  std::unique_ptr<admin::AdminServer> admin_;
  std::unique_ptr<net::Listener> listener_;
};

}  // namespace forebay::app
