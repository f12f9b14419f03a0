#pragma once
// The operator's HTTP server, apart from the clients' port: metrics, health, status, purge.
#include <forebay/admin/token_file.hpp>
#include <forebay/base/result.hpp>
#include <forebay/net/listener.hpp>
#include <forebay/runtime/task.hpp>
#include <forebay/runtime/worker.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace forebay::admin {

struct AdminConfig {
  std::string address = "127.0.0.1:9001";  ///< host:port; port 0: any free one.
  std::size_t max_connections = 64;
  std::string token_file = {};  ///< Empty: none, and only a port on loopback changes state.
};

/// What a purge has done.
struct PurgeOutcome {
  /// Headers on one device that could not be erased: their blocks are not served any more, but a
  /// restart may find them.
  struct Unreached {
    std::string device;
    std::uint64_t blocks = 0;
  };
  std::uint64_t purged = 0;  ///< Blocks.
  std::vector<Unreached> unreached = {};
};

/// What the server asks the rest of the daemon. Called on any worker's thread; each must stay
/// callable until the workers are drained. An empty function: that answer is 404 (ready: yes).
struct AdminHooks {
  std::string version;  ///< Label of forebay_build_info.
  /// Whether the daemon should get traffic.
  std::function<bool()> ready;
  /// A JSON object: what /status.json and the page show.
  std::function<std::string()> status_json;
  /// Drops what is cached of the keys of `bucket` that begin with `prefix` (empty: all). A plain
  /// function that returns a coroutine which owns what it needs.
  std::function<Task<Result<PurgeOutcome>>(std::string bucket, std::string prefix)> purge;
};

/// Answers, each with Cache-Control: no-store:
///   GET  /metrics      Prometheus text exposition 0.0.4
///   GET  /healthz      200 while every worker's event loop turns, else 503
///   GET  /readyz       200 or 503
///   GET  /status.json  AdminHooks::status_json
///   GET  / or /status  the same for humans
///   POST /purge?bucket=B[&prefix=P]   {"purged": N}, and where some device could not be
///                                     written: "unreached": [{"device": D, "blocks": N}]
/// HEAD wherever GET. Errors are {"error": "..."}. Reading needs no credentials, so that probes and
/// Prometheus work as they are; what changes state passes the gate (src/admin/gate.hpp).
class AdminServer {
 public:
  /// Errc::invalid_config, logged: an address that cannot be bound, a token file that cannot be
  /// used.
  static Result<std::unique_ptr<AdminServer>> start(runtime::WorkerPool& pool,
                                                    const AdminConfig& config, AdminHooks hooks);

  std::uint16_t port() const { return listener_->port(); }
  void stop() { listener_->stop(); }
  /// Reads the token file again where it has changed; about once a second, on one thread.
  void poll();

 private:
  AdminServer(std::unique_ptr<net::Listener> listener, std::shared_ptr<TokenFile> token)
      : listener_{std::move(listener)}, token_{std::move(token)} {}

  std::unique_ptr<net::Listener> listener_;
  std::shared_ptr<TokenFile> token_;  ///< Null where none is configured.
};

}  // namespace forebay::admin
