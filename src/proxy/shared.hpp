#pragma once
// What all sessions of the node share.
#include "proxy/answer_memo.hpp"
#include "proxy/forwarding.hpp"
#include "proxy/prestager.hpp"
#include "proxy/version_memo.hpp"

#include <forebay/cache/block_cache.hpp>
#include <forebay/net/config.hpp>
#include <forebay/origin/object_lookup.hpp>
#include <forebay/proxy/config.hpp>
#include <forebay/proxy/proxy.hpp>
#include <forebay/runtime/budget.hpp>

#include <utility>

namespace forebay::proxy {

/// Any worker.
struct Shared {
  Shared(const ProxyConfig& proxy_config, const net::ListenConfig& listen_config, ProxyParts parts)
      : config{proxy_config},
        listen{listen_config},
        client{parts.client},
        callers{parts.callers},
        node_credential{std::move(parts.node_credential)},
        cache{parts.cache},
        lookup{parts.client},
        forwarding{proxy_config.forwarded_for, net::NetworkSet{listen_config.trusted_proxies}},
        direct_reads{proxy_config.direct_reads_max},
        prestager{proxy_config.prestage, parts.cache} {}

  ProxyConfig config;
  net::ListenConfig listen;
  origin::Client& client;
  const origin::CredentialStore* callers;  ///< Null where callers' requests are passed on.
  NodeCredential node_credential;
  cache::BlockCache& cache;
  origin::ObjectLookup lookup;
  VersionMemo memo;
  AnswerMemo answers;
  Forwarding forwarding;
  runtime::Budget direct_reads;
  Prestager prestager;
};

/// The rule that decides for a key, or nullptr.
const CacheRule* find_rule(const ProxyConfig& config, std::string_view bucket,
                           std::string_view key);

}  // namespace forebay::proxy
