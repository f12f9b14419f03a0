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
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
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

/// What a connection is used for, as far as the bounds tell it apart. A brief request answers a
/// client that waits, and is soon over; a background fill is one that nobody waits for; an upload
/// is a request with a body on a client's behalf.
enum class Use { brief, fill, background, upload };
inline constexpr std::size_t kUses = 4;

/// How many connections each use may hold at once. Pure.
struct Shares {
  /// Fills leave an eighth of the connections; background fills have half of the fills' share and
  /// count within it; uploads have `max_uploads`, at most as many as fills, and half of the
  /// connections if it is 0; fills and uploads together leave a sixteenth. A background fill never
  /// takes one of the last connections: a quarter of them, and one of the fills' share, stay free
  /// when it begins. Every use leaves one at least, unless there is only one.
  static Shares of(std::size_t max_connections, std::size_t max_uploads);

  std::array<std::size_t, kUses> each;  ///< By Use.
  std::size_t together;                 ///< Of fills of either kind and uploads.
  /// A background fill begins only while fewer connections than this are in use, whatever for.
  std::size_t background_below;
};

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
  Connection(std::shared_ptr<ConnectionPool> pool, std::unique_ptr<Link> link, bool reused,
             Use use);
  Connection(Connection&&) = default;
  Connection& operator=(Connection&&) = delete;
  ~Connection();

  /// Closes what is there and connects anew, in the same place under the bounds. After a failure
  /// the connection can only be destroyed. Errors as those of net::connect.
  Task<Result<void>> renew(Deadline deadline);

  net::Stream& stream() { return *link_->stream; }
  net::HttpReader& reader() { return link_->reader; }
  bool reused() const { return reused_; }
  /// The exchange is over and the connection is fit for another; otherwise destruction closes it.
  void give_back() { reusable_ = true; }

 private:
  std::shared_ptr<ConnectionPool> pool_;
  std::unique_ptr<Link> link_;
  bool reused_;
  Use use_;
  bool reusable_ = false;
};

/// Any worker; a connection stays with the worker that made it. Connections being made, in use and
/// idle never exceed max_connections together. A request that finds none queues. A connection given
/// back goes to the first in line of its own worker, though older requests wait on another: but no
/// request is passed over by one that came a tenth of a second later, or more. It gets the place of
/// a connection that another worker gives back, which is closed, and makes one of its own.
/// Connections idle on another worker make room for a request once it has waited for a moment
/// in which its own worker might have had one. Fills and uploads keep theirs for as long as a
/// client takes, so each of them has a share (see Shares); a request whose share is taken waits for
/// one of its kind, and is passed over in line. A background fill is passed over by every other
/// request that waits.
class ConnectionPool : public std::enable_shared_from_this<ConnectionPool> {
 public:
  static Result<std::shared_ptr<ConnectionPool>> create(const OriginConfig& config,
                                                        const net::Endpoint& endpoint);
  ~ConnectionPool();

  /// An idle connection that looks alive, else a new one. Errc::overloaded if none of
  /// max_connections became free by `queue` (by default within OriginConfig::wait) or `deadline`;
  /// unavailable or timeout if the origin could not be reached.
  Task<Result<Connection>> take(Use use, Deadline deadline, std::optional<Deadline> queue);
  /// Closes this worker's idle connections; later ones are not kept.
  void stop();

 private:
  friend class Connection;
  class Shelf;
  class Ticket;
  using Lock = std::lock_guard<std::mutex>;
  using Line = std::list<Ticket*>;        ///< Oldest first.
  using Lines = std::array<Line, kUses>;  ///< By use.

  /// Workers a node can have: shelves are made before the workers are known.
  static constexpr std::size_t kWorkersMax = 1024;

  ConnectionPool(const OriginConfig& config, net::Endpoint endpoint,
                 std::shared_ptr<const net::TlsContext> tls);
  Shelf& shelf();
  bool has_share_locked(Use use) const;
  void count_locked(Use use, int change);
  Ticket* next_locked(const Lines& lines) const;
  static bool may_pass_locked(const Ticket& later, const Ticket& first);
  bool may_keep_locked() const;
  void put_back(std::unique_ptr<Link> link, Use use);
  void free_place(std::optional<Use> used);
  void ask_for_idle();
  Task<void> wait_in_line(Ticket& ticket, Deadline patience);
  Task<Result<std::unique_ptr<Link>>> make_link(Deadline deadline);

  OriginConfig config_;
  net::Endpoint endpoint_;
  std::shared_ptr<const net::TlsContext> tls_;

  const Shares shares_;

  // Guarded by mutex_. A request waits only while open_ is max_connections, or its share is taken.
  std::mutex mutex_;
  std::size_t open_ = 0;                   ///< Places taken: connections being made, in use, idle.
  std::array<std::size_t, kUses> used_{};  ///< Requests that have a connection, or are about to.
  std::uint64_t tickets_ = 0;              ///< Numbers those that wait.
  Lines waiting_;                          ///< Of all workers; each shelf has those of its own.
  /// By worker; the pointer is set once, by that worker.
  std::array<std::unique_ptr<Shelf>, kWorkersMax> shelves_;
};

}  // namespace forebay::origin
