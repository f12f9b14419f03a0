#pragma once
// What all sessions of the node share.
#include "proxy/budget.hpp"
#include "proxy/prestager.hpp"
#include "proxy/version_memo.hpp"

#include <forebay/cache/block_cache.hpp>
#include <forebay/net/config.hpp>
#include <forebay/origin/client.hpp>
#include <forebay/origin/credentials.hpp>
#include <forebay/origin/object_lookup.hpp>
#include <forebay/proxy/config.hpp>

namespace forebay::proxy {

/// Any worker.
struct Shared {
  Shared(const ProxyConfig& proxy_config, const net::ListenConfig& listen_config,
         origin::Client& origin_client, origin::CredentialStore& credential_store,
         cache::BlockCache& block_cache)
      : config{proxy_config},
        listen{listen_config},
        client{origin_client},
        credentials{credential_store},
        cache{block_cache},
        lookup{origin_client},
        direct_reads{proxy_config.direct_reads_max},
        prestager{proxy_config.prestage, block_cache} {}

  ProxyConfig config;
  net::ListenConfig listen;
  origin::Client& client;
  origin::CredentialStore& credentials;
  cache::BlockCache& cache;
  origin::ObjectLookup lookup;
  VersionMemo memo;
  Budget direct_reads;
  Prestager prestager;
};

/// The rule that decides for a key, or nullptr.
const CacheRule* find_rule(const ProxyConfig& config, std::string_view bucket,
                           std::string_view key);

}  // namespace forebay::proxy
