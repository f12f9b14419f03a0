#pragma once
// Everything the daemon is configured with: the rooms' own structs, and what only app/ needs.
#include <forebay/admin/server.hpp>
#include <forebay/base/log.hpp>
#include <forebay/cache/block_cache.hpp>
#include <forebay/io/block_device.hpp>
#include <forebay/io/buffer_pool.hpp>
#include <forebay/net/config.hpp>
#include <forebay/origin/config.hpp>
#include <forebay/origin/node_credentials.hpp>
#include <forebay/proxy/config.hpp>
#include <forebay/runtime/worker.hpp>

#include <string>

namespace forebay::config {

struct AuthConfig {
  std::string credentials_file;  ///< auth.credentials_file; only where this node verifies.
};

struct ProcessConfig {
  bool core_dumps = false;  ///< They hold the callers' keys.
};

/// Defaults are those of the structs; the few that differ here are set in config.cpp.
struct Config {
  Config();

  log::Config log;
  runtime::Config runtime;
  io::BufferPool::Config pool;
  io::EngineConfig io;
  cache::CacheConfig cache;
  origin::OriginConfig origin;
  origin::NodeCredentialsConfig fill_credentials;
  proxy::ProxyConfig proxy;
  net::ListenConfig s3;
  admin::AdminConfig admin;
  AuthConfig auth;
  ProcessConfig process;
};

}  // namespace forebay::config
