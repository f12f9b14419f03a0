#include "origin/connection_pool.hpp"

#include <forebay/base/errc.hpp>
#include <forebay/base/log.hpp>
#include <forebay/base/metrics.hpp>

#include <algorithm>
#include <utility>

namespace forebay::origin {
namespace {

/// Workers a node can have: the idle lists are made before the workers are known.
constexpr std::size_t kWorkersMax = 1024;
constexpr std::uint16_t kHttpPort = 80;
constexpr std::uint16_t kHttpsPort = 443;

struct PoolMetrics {
  metrics::Gauge& active = metrics::Registry::instance().gauge(
      "forebay_origin_connections", "Connections to the origin.", {{"state", "active"}});
  metrics::Gauge& idle = metrics::Registry::instance().gauge(
      "forebay_origin_connections", "Connections to the origin.", {{"state", "idle"}});
  metrics::Counter& failed = metrics::Registry::instance().counter(
      "forebay_origin_connect_failures_total", "Connections to the origin that could not be made.");
  metrics::Counter& overloaded = metrics::Registry::instance().counter(
      "forebay_origin_connection_waits_failed_total",
      "Requests for which no connection became free in time.");

  static PoolMetrics& get() {
    static PoolMetrics instance;
    return instance;
  }
};

}  // namespace

Result<Origin> parse_endpoint(const std::string& url) {
  constexpr std::string_view kHttp = "http://";
  constexpr std::string_view kHttps = "https://";
  Origin origin;
  std::string_view rest = url;
  if (rest.starts_with(kHttps)) {
    origin.endpoint.tls = true;
    rest.remove_prefix(kHttps.size());
  } else if (rest.starts_with(kHttp)) {
    rest.remove_prefix(kHttp.size());
  } else {
    rest = {};
  }
  if (rest.ends_with('/'))
    rest.remove_suffix(1);
  const bool tls = origin.endpoint.tls;
  const std::uint16_t own_port = tls ? kHttpsPort : kHttpPort;
  const bool has_port = rest.rfind(':') != std::string_view::npos &&
                        (!rest.starts_with('[') || rest.rfind(':') > rest.rfind(']'));
  const std::string full =
      has_port ? std::string{rest} : std::string{rest} + ":" + std::to_string(own_port);
  auto endpoint = net::parse_host_port(full);
  if (rest.empty() || !endpoint || rest.find('/') != std::string_view::npos) {
    log::get("origin").error("origin.endpoint {}: not http://host[:port] or https://host[:port]",
                             url);
    return Errc::invalid_config;
  }
  origin.endpoint = std::move(endpoint).value();
  origin.endpoint.tls = tls;
  const bool is_default = origin.endpoint.port == own_port;
  origin.host =
      is_default && has_port ? std::string{rest.substr(0, rest.rfind(':'))} : std::string{rest};
  return origin;
}

Connection::Connection(std::shared_ptr<ConnectionPool> pool, std::unique_ptr<Link> link,
                       bool reused)
    : pool_{std::move(pool)}, link_{std::move(link)}, reused_{reused} {}

Connection::~Connection() {
  if (!link_)
    return;
  if (reusable_ && !link_->reader.has_buffered())
    pool_->put_back(std::move(link_));
  pool_->release();
}

Result<std::shared_ptr<ConnectionPool>> ConnectionPool::create(const OriginConfig& config,
                                                               const net::Endpoint& endpoint) {
  std::shared_ptr<const net::TlsContext> tls;
  if (endpoint.tls) {
    TRY(tls, net::TlsContext::client(config.ca_file));
  }
  return std::shared_ptr<ConnectionPool>{new ConnectionPool{config, endpoint, std::move(tls)}};
}

ConnectionPool::ConnectionPool(const OriginConfig& config, net::Endpoint endpoint,
                               std::shared_ptr<const net::TlsContext> tls)
    : config_{config}, endpoint_{std::move(endpoint)}, tls_{std::move(tls)}, idle_(kWorkersMax) {}

ConnectionPool::IdleList& ConnectionPool::idle() {
  return idle_[runtime::Worker::current().index()];
}

void ConnectionPool::close_idle() {
  PoolMetrics::get().idle.add(-static_cast<std::int64_t>(idle().size()));
  idle().clear();
}

/// The idle connection used last, if it is young and silent: an origin that has spoken or left
/// since cannot be used.
std::unique_ptr<Link> ConnectionPool::take_idle() {
  while (!idle().empty()) {
    std::unique_ptr<Link> link = std::move(idle().back());
    idle().pop_back();
    PoolMetrics::get().idle.add(-1);
    const bool young = Clock::now() - link->idle_since < config_.idle_timeout;
    if (young && link->stream->input() == net::Input::none)
      return link;
  }
  return nullptr;
}

void ConnectionPool::put_back(std::unique_ptr<Link> link) {
  link->idle_since = Clock::now();
  // The oldest stand first; nobody else comes by to close them.
  const auto old = [this](const auto& other) {
    return Clock::now() - other->idle_since >= config_.idle_timeout;
  };
  const auto first_young = std::find_if_not(idle().begin(), idle().end(), old);
  PoolMetrics::get().idle.add(1 - (first_young - idle().begin()));
  idle().erase(idle().begin(), first_young);
  idle().push_back(std::move(link));
}

bool ConnectionPool::try_reserve() {
  std::size_t used = in_use_.load();
  while (used < config_.max_connections) {
    if (in_use_.compare_exchange_weak(used, used + 1)) {
      PoolMetrics::get().active.add(1);
      return true;
    }
  }
  return false;
}

void ConnectionPool::release() {
  PoolMetrics::get().active.add(-1);
  in_use_.fetch_sub(1);
  waiters_.wake_one();
}

Task<Result<void>> ConnectionPool::reserve(Deadline deadline) {
  if (try_reserve())
    co_return success();
  const std::shared_ptr<runtime::Waiter> waiter = runtime::Waiter::create();
  for (;;) {
    waiters_.add(waiter);
    if (try_reserve())
      co_return success();
    const bool woken = co_await waiter->wait(deadline);
    if (woken)
      continue;
    // The wake that comes too late for this one must reach another.
    waiters_.wake_one();
    PoolMetrics::get().overloaded.add();
    co_return Errc::overloaded;
  }
}

Task<Result<Connection>> ConnectionPool::take(Deadline deadline, bool fresh) {
  const Deadline patience = deadline.capped(config_.connect_timeout);
  CO_TRY(co_await reserve(patience));
  std::unique_ptr<Link> link = fresh ? nullptr : take_idle();
  const bool reused = link != nullptr;
  if (!reused) {
    auto stream = co_await net::connect(endpoint_, tls_.get(), patience);
    if (!stream) {
      release();
      PoolMetrics::get().failed.add();
      co_return stream.error();
    }
    link = std::make_unique<Link>(std::move(stream).value());
  }
  co_return Connection{shared_from_this(), std::move(link), reused};
}

}  // namespace forebay::origin
