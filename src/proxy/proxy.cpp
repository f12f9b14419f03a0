#include "proxy/session.hpp"
#include "proxy/shared.hpp"

#include <forebay/proxy/proxy.hpp>

#include <utility>

namespace forebay::proxy {

Proxy::Proxy(const ProxyConfig& config, const net::ListenConfig& listen, ProxyParts parts)
    : shared_{std::make_unique<Shared>(config, listen, std::move(parts))} {}

Proxy::~Proxy() = default;

Task<void> Proxy::serve(std::unique_ptr<net::Stream> stream) {
  Session session{*shared_, std::move(stream)};
  co_await session.run();
}

Task<cache::Purged> Proxy::purge(std::string bucket, std::string prefix) {
  return shared_->cache.purge(std::move(bucket), std::move(prefix));
}

void Proxy::stop() {
  shared_->prestager.stop();
}

}  // namespace forebay::proxy
