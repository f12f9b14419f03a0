#pragma once
// Keep-alive connections to one endpoint: idle ones by worker, one bound for all.
#include <forebay/net/connect.hpp>
#include <forebay/net/http_reader.hpp>
#include <forebay/net/stream.hpp>
#include <forebay/net/tls.hpp>
#include <forebay/origin/client.hpp>
#include <forebay/origin/config.hpp>
#include <forebay/runtime/waiter.hpp>

#include <array>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>

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

/// A connection in use. One worker.
class Connection {
 public:
  /// `is_fill`: it counts among the pool's fills.
  Connection(std::shared_ptr<ConnectionPool> pool, std::unique_ptr<Link> link, bool reused,
             bool is_fill);
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
  bool is_fill_;
  bool reusable_ = false;
};

/// Any worker; a connection stays with the worker that made it. Connections being made, in use and
/// idle never exceed max_connections together: who finds none waits in line, and a connection given
/// back goes to the first in line, as it is on the same worker, else as the right to make another.
/// While somebody waits for a place no connection stays idle on another worker. Fills, which may
/// keep theirs for as long as their readers take, leave an eighth to requests that a client waits
/// for; a fill that has to wait for another's end is passed over in line.
class ConnectionPool : public std::enable_shared_from_this<ConnectionPool> {
 public:
  enum class Reuse { allowed, forbidden };

  static Result<std::shared_ptr<ConnectionPool>> create(const OriginConfig& config,
                                                        const net::Endpoint& endpoint);
  ~ConnectionPool();

  /// An idle connection that looks alive where `reuse` allows it, else a new one. Errc::overloaded
  /// where none of max_connections became free in time, unavailable or timeout where the origin
  /// could not be reached.
  Task<Result<Connection>> take(Deadline deadline, Reuse reuse, Reason reason);
  /// Closes this worker's idle connections; later ones are not kept.
  void stop();

 private:
  friend class Connection;
  class Shelf;
  class Ticket;
  using Lock = std::lock_guard<std::mutex>;

  /// Workers a node can have: shelves are made before the workers are known.
  static constexpr std::size_t kWorkersMax = 1024;

  ConnectionPool(const OriginConfig& config, net::Endpoint endpoint,
                 std::shared_ptr<const net::TlsContext> tls);
  Shelf& shelf();
  Ticket* next_locked() const;
  void put_back(std::unique_ptr<Link> link, bool was_fill);
  void free_place(bool was_fill = false);
  void ask_for_idle();
  Task<Result<std::unique_ptr<Link>>> make_link(Deadline deadline);

  OriginConfig config_;
  net::Endpoint endpoint_;
  std::shared_ptr<const net::TlsContext> tls_;

  const std::size_t fills_max_;

  // Guarded by mutex_. Somebody waits only while open_ is max_connections; a fill also while fills_
  // is fills_max_.
  std::mutex mutex_;
  std::size_t open_ = 0;   ///< Places taken: connections being made, in use, idle.
  std::size_t fills_ = 0;  ///< Fills that have a connection, or are about to.
  std::list<Ticket*> waiting_;
  /// By worker; the pointer is set once, by that worker.
  std::array<std::unique_ptr<Shelf>, kWorkersMax> shelves_;
};

}  // namespace forebay::origin
