#pragma once
// The proxy: what serves the connections of listen.s3.
#include <forebay/cache/block_cache.hpp>
#include <forebay/net/config.hpp>
#include <forebay/net/listener.hpp>
#include <forebay/origin/client.hpp>
#include <forebay/origin/credentials.hpp>
#include <forebay/proxy/config.hpp>

#include <cstddef>
#include <memory>
#include <string>

namespace forebay::proxy {

struct Shared;

/// One for the node. Everything it is given must outlive it; it must outlive the workers' tasks.
class Proxy final : public net::ConnectionHandler {
 public:
  Proxy(const ProxyConfig& config, const net::ListenConfig& listen, origin::Client& client,
        origin::CredentialStore& credentials, cache::BlockCache& cache);
  ~Proxy() override;

  Task<void> serve(std::unique_ptr<net::Stream> stream) override;

  /// Forgets what is cached of keys with that prefix; the count of blocks. On a worker's thread.
  Task<std::size_t> purge(std::string bucket, std::string prefix);
  /// Begins no more pre-staging; what is in progress ends by itself. Any thread.
  void stop();

 private:
  std::unique_ptr<Shared> shared_;
};

}  // namespace forebay::proxy
