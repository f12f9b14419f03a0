#pragma once
// Keep-alive connections to one endpoint: idle ones by worker, one bound for all.
#include <forebay/net/connect.hpp>
#include <forebay/net/http_reader.hpp>
#include <forebay/net/stream.hpp>
#include <forebay/net/tls.hpp>
#include <forebay/origin/config.hpp>
#include <forebay/runtime/waiter.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace forebay::origin {

/// A parsed origin.endpoint.
struct Origin {
  net::Endpoint endpoint;
  std::string host;  ///< For the Host field: without the port where it is the scheme's own.
};
/// "http://host", "https://host:port". Errc::invalid_config, logged, for anything else.
Result<Origin> parse_endpoint(const std::string& url);

class ConnectionPool;

/// A stream and its reader, which keeps what arrived early.
struct Link {
  explicit Link(std::unique_ptr<net::Stream> connected)
      : stream{std::move(connected)}, reader{*stream, net::HttpReader::Limits{kHeadSizeMax}} {}

  static constexpr std::size_t kHeadSizeMax = 64 * KiB;
  std::unique_ptr<net::Stream> stream;
  net::HttpReader reader;
  TimePoint idle_since;
};

/// A connection in use, counted against the bound until it goes. One worker.
class Connection {
 public:
  Connection(std::shared_ptr<ConnectionPool> pool, std::unique_ptr<Link> link, bool reused);
  Connection(Connection&&) = default;
  Connection& operator=(Connection&&) = delete;
  ~Connection();

  net::Stream& stream() { return *link_->stream; }
  net::HttpReader& reader() { return link_->reader; }
  bool reused() const { return reused_; }
  /// The exchange is over and the connection is fit for another; otherwise destruction closes it.
  void give_back() { reusable_ = true; }

 private:
  std::shared_ptr<ConnectionPool> pool_;
  std::unique_ptr<Link> link_;
  bool reused_;
  bool reusable_ = false;
};

/// Any worker; idle connections stay with the worker that made them. Held by every connection in
/// use.
class ConnectionPool : public std::enable_shared_from_this<ConnectionPool> {
 public:
  static Result<std::shared_ptr<ConnectionPool>> create(const OriginConfig& config,
                                                        const net::Endpoint& endpoint);

  /// An idle connection that looks alive (unless `fresh`), else a new one. Errc::overloaded where
  /// none of max_connections became free in time, unavailable or timeout where the origin could not
  /// be reached.
  Task<Result<Connection>> take(Deadline deadline, bool fresh);
  /// Closes this worker's idle connections.
  void close_idle();

 private:
  friend class Connection;
  using IdleList = std::vector<std::unique_ptr<Link>>;

  ConnectionPool(const OriginConfig& config, net::Endpoint endpoint,
                 std::shared_ptr<const net::TlsContext> tls);
  IdleList& idle();
  std::unique_ptr<Link> take_idle();
  bool try_reserve();
  Task<Result<void>> reserve(Deadline deadline);
  void release();
  void put_back(std::unique_ptr<Link> link);

  OriginConfig config_;
  net::Endpoint endpoint_;
  std::shared_ptr<const net::TlsContext> tls_;
  std::atomic<std::size_t> in_use_{0};
  runtime::WaitList waiters_;
  std::vector<IdleList> idle_;  ///< By worker; each touched by its own only.
};

}  // namespace forebay::origin
