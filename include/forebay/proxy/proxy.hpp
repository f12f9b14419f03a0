#pragma once
// The proxy: what serves the connections of listen.s3.
#include <forebay/cache/block_cache.hpp>
#include <forebay/net/config.hpp>
#include <forebay/net/listener.hpp>
#include <forebay/origin/client.hpp>
#include <forebay/origin/credentials.hpp>
#include <forebay/proxy/config.hpp>
#include <forebay/s3/sigv4.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace forebay::proxy {

struct Shared;

/// The node's own key pair toward the origin; null while there is none. Any thread.
using NodeCredential = std::function<std::shared_ptr<const s3::Credential>()>;

/// What the proxy works with.
struct ProxyParts {
  origin::Client& client;
  const origin::CredentialStore* callers;  ///< Null in AuthMode::passthrough.
  NodeCredential node_credential;          ///< For fills in AuthMode::passthrough.
  cache::BlockCache& cache;
};

/// One for the node. Everything it is given must outlive it; it must outlive the workers' tasks.
class Proxy final : public net::ConnectionHandler {
 public:
  Proxy(const ProxyConfig& config, const net::ListenConfig& listen, ProxyParts parts);
  ~Proxy() override;

  Task<void> serve(std::unique_ptr<net::Stream> stream) override;

  /// Forgets what is cached of keys with that prefix; on a worker's thread.
  Task<cache::Purged> purge(std::string bucket, std::string prefix);
  /// Begins no more pre-staging; what is in progress ends by itself. Any thread.
  void stop();

 private:
  std::unique_ptr<Shared> shared_;
};

}  // namespace forebay::proxy
