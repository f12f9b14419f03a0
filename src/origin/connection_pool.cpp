#include "origin/connection_pool.hpp"

#include "origin/error_metrics.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/base/errc.hpp>
#include <forebay/base/log.hpp>
#include <forebay/base/metrics.hpp>

#include <algorithm>
#include <utility>
#include <vector>

#include <boost/asio/post.hpp>

namespace forebay::origin {
namespace {

constexpr std::uint16_t kHttpPort = 80;
constexpr std::uint16_t kHttpsPort = 443;
/// One connection in so many is not for fills, and one in twice as many for neither fills nor
/// uploads.
constexpr std::size_t kReserve = 8;
/// One connection in so many stays free when a background fill begins.
constexpr std::size_t kBackgroundReserve = 4;
/// How long a request waits for a connection of its own worker before one that is idle on another
/// is closed for it. A worker at the bound gets one back sooner than that, as a rule, and what is
/// idle for less would be made again at once.
constexpr milliseconds kGrace{10};
/// How much earlier a request may have come than another worker's that gets a connection before
/// it. At the bound it thereby waits that much longer than it would in one line for all. Much more
/// than a worker's turn, or connections would move from worker to worker all the time.
constexpr milliseconds kPassedOver{100};

/// So many of `count` that one in `part` is left, and at least one, of a few.
std::size_t all_but(std::size_t part, std::size_t count) {
  const std::size_t reserve = std::max<std::size_t>(1, count / part);
  return std::max<std::size_t>(1, count - reserve);
}

constexpr std::size_t index_of(Use use) {
  return static_cast<std::size_t>(use);
}

struct PoolMetrics {
  metrics::Counter& opened = metrics::Registry::instance().counter(
      "forebay_origin_connections_opened_total", "Connections made to the origin.");
  metrics::Gauge& active = metrics::Registry::instance().gauge(
      "forebay_origin_connections", "Connections to the origin.", {{"state", "active"}});
  metrics::Gauge& idle = metrics::Registry::instance().gauge(
      "forebay_origin_connections", "Connections to the origin.", {{"state", "idle"}});

  static PoolMetrics& get() {
    static PoolMetrics instance;
    return instance;
  }
};

}  // namespace

Shares Shares::of(std::size_t max_connections, std::size_t max_uploads) {
  const std::size_t fills = all_but(kReserve, max_connections);
  const std::size_t half = std::max<std::size_t>(1, max_connections / 2);
  const std::size_t uploads = max_uploads == 0 ? half : max_uploads;
  return {.each = {max_connections, fills, std::max<std::size_t>(1, fills / 2),
                   std::min(uploads, fills)},
          .together = all_but(2 * kReserve, max_connections),
          .background_below = std::max<std::size_t>(
              1, std::min(all_but(kBackgroundReserve, max_connections), fills - 1))};
}

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
    // Without a user and a password, which somebody may have put there.
    log::get("origin").error("endpoint {}: not http://host[:port] or https://host[:port]",
                             url.substr(url.rfind('@') + 1));
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
                       bool reused, Use use)
    : pool_{std::move(pool)}, link_{std::move(link)}, reused_{reused}, use_{use} {
  PoolMetrics::get().active.add(1);
}

Connection::~Connection() {
  if (!pool_)
    return;
  PoolMetrics::get().active.add(-1);
  // A task destroyed unfinished, after the workers, has no worker to give a connection back to.
  const bool has_worker = runtime::Worker::current_or_null() != nullptr;
  if (reusable_ && has_worker && link_ && !link_->reader.has_buffered()) {
    pool_->put_back(std::move(link_), use_);
    return;
  }
  link_.reset();
  pool_->free_place(use_);
}

Task<Result<void>> Connection::renew(Deadline deadline) {
  link_.reset();
  reused_ = false;
  CO_TRY(link_, co_await pool_->make_link(deadline));
  co_return success();
}

/// One worker's idle connections. Its thread only, except for the counts.
class ConnectionPool::Shelf final : public runtime::Watchdog::Entry {
 public:
  Shelf(ConnectionPool& pool, runtime::Worker& owner) : owner_{owner}, pool_{pool} {}

  runtime::Worker& owner() { return owner_; }

  /// The connection used last, if it is silent: an origin that has spoken or left since cannot be
  /// used.
  std::unique_ptr<Link> take_last() {
    while (!links_.empty()) {
      std::unique_ptr<Link> link = std::move(links_.back());
      links_.pop_back();
      count(-1);
      if (link->stream->input() == net::Input::none)
        return link;
      link.reset();
      pool_.free_place(std::nullopt);
    }
    return nullptr;
  }

  /// With the pool's mutex held, so that who comes to wait sees the connection here.
  void keep_locked(std::unique_ptr<Link> link) {
    link->idle_since = Clock::now();
    links_.push_back(std::move(link));
    ++idle;
    PoolMetrics::get().idle.add(1);
    if (!is_linked())
      arm();
  }

  /// The oldest stand first.
  void close_first() {
    if (links_.empty())
      return;
    links_.erase(links_.begin());
    count(-1);
    pool_.free_place(std::nullopt);
  }

  void stop() {
    stopped = true;
    runtime::Watchdog::disarm(*this);
    while (!links_.empty())
      close_first();
  }

  // Guarded by the pool's mutex.
  std::size_t idle = 0;   ///< Connections here.
  std::size_t asked = 0;  ///< How many of them this worker was asked to close.
  Lines waiting;          ///< Requests of this worker.

  bool stopped = false;  ///< This worker's thread only.

 private:
  void on_deadline() override {
    while (!links_.empty() && Clock::now() >= expiry(*links_.front()))
      close_first();
    if (!links_.empty())
      arm();
  }
  void arm() { owner_.watchdog().arm(*this, Deadline::at(expiry(*links_.front()))); }
  TimePoint expiry(const Link& link) const { return link.idle_since + pool_.config_.idle_timeout; }
  void count(int change) {
    const Lock lock{pool_.mutex_};
    idle += static_cast<std::size_t>(change);
    PoolMetrics::get().idle.add(change);
  }

  runtime::Worker& owner_;
  ConnectionPool& pool_;
  std::vector<std::unique_ptr<Link>> links_;
};

/// A place under the bounds, or a place in line for one. On the frame of who waits; whatever it
/// holds goes back when that ends.
class ConnectionPool::Ticket {
 public:
  Ticket(ConnectionPool& pool, Use use) : pool_{pool}, own_{pool.shelf()}, use_{use} {
    const Lock lock{pool_.mutex_};
    admitted_ = pool_.has_share_locked(use_);
    if (admitted_)
      pool_.count_locked(use_, 1);
  }
  Ticket(const Ticket&) = delete;
  Ticket& operator=(const Ticket&) = delete;
  ~Ticket() {
    link_.reset();
    if (leave_line())
      pool_.free_place(use_);
  }

  /// Not one too many of its use: it may use an idle connection, or ask for a place.
  bool is_admitted() const { return admitted_; }
  /// Takes a place, or joins the line.
  void ask_for_place() {
    const Lock lock{pool_.mutex_};
    const bool has_room = pool_.open_ < pool_.config_.max_connections;
    if (admitted_ && has_room) {
      ++pool_.open_;
      granted_ = true;
      return;
    }
    if (admitted_)
      pool_.count_locked(use_, -1);
    waiter_ = runtime::Waiter::create();
    number_ = ++pool_.tickets_;
    place_ = line(pool_.waiting_).insert(line(pool_.waiting_).end(), this);
    own_place_ = line(own_.waiting).insert(line(own_.waiting).end(), this);
  }
  /// Still in line, and for no want of a share.
  bool lacks_place() {
    const Lock lock{pool_.mutex_};
    return !granted_ && pool_.has_share_locked(use_);
  }
  bool waits() const { return waiter_ != nullptr; }
  Task<bool> wait(Deadline deadline) { return waiter_->wait(deadline); }
  /// Whether there is a place by now; the line is left in any case.
  bool leave_line() {
    const Lock lock{pool_.mutex_};
    if (waiter_ && !granted_)
      leave_locked();
    waiter_.reset();
    return granted_;
  }
  /// What came with the place, if anything.
  std::unique_ptr<Link> take_link() { return std::move(link_); }
  /// The place is a connection's from now on.
  void spend() { granted_ = false; }

  // With the pool's mutex held, on any thread: out of the line, with a place.
  Use use_locked() const { return use_; }
  std::uint64_t number_locked() const { return number_; }
  TimePoint since_locked() const { return since_; }
  bool came_just_now_locked() const { return Clock::now() - since_ < kGrace; }
  /// The link is of this ticket's worker.
  std::shared_ptr<runtime::Waiter> grant_locked(std::unique_ptr<Link> link) {
    leave_locked();
    link_ = std::move(link);
    granted_ = true;
    pool_.count_locked(use_, 1);
    return waiter_;
  }

 private:
  Line& line(Lines& lines) const { return lines[index_of(use_)]; }
  void leave_locked() {
    line(pool_.waiting_).erase(place_);
    line(own_.waiting).erase(own_place_);
  }

  ConnectionPool& pool_;
  Shelf& own_;
  Use use_;
  bool admitted_ = false;
  TimePoint since_ = Clock::now();
  std::shared_ptr<runtime::Waiter> waiter_;
  std::uint64_t number_ = 0;  ///< Of those that wait, the lowest came first.
  Line::iterator place_;      ///< Valid while waiting: waiter_ and not granted_.
  Line::iterator own_place_;  ///< Likewise, among those of this worker.
  bool granted_ = false;
  std::unique_ptr<Link> link_;
};

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
    : config_{config},
      endpoint_{std::move(endpoint)},
      tls_{std::move(tls)},
      shares_{Shares::of(config.max_connections, config.max_uploads)} {
  endpoint_.receive_buffer = config.receive_buffer;
}

ConnectionPool::~ConnectionPool() = default;

ConnectionPool::Shelf& ConnectionPool::shelf() {
  runtime::Worker& worker = runtime::Worker::current();
  ASSERT(worker.index() < kWorkersMax);
  std::unique_ptr<Shelf>& own = shelves_[worker.index()];
  if (!own) {
    const Lock lock{mutex_};
    own = std::make_unique<Shelf>(*this, worker);
  }
  return *own;
}

void ConnectionPool::stop() {
  shelf().stop();
}

bool ConnectionPool::has_share_locked(Use use) const {
  if (use == Use::brief)
    return true;
  const std::size_t background = used_[index_of(Use::background)];
  const std::size_t fills = used_[index_of(Use::fill)] + background;
  const std::size_t together = fills + used_[index_of(Use::upload)];
  const std::size_t of_kind = use == Use::fill ? fills : used_[index_of(use)];
  if (of_kind >= shares_.each[index_of(use)] || together >= shares_.together)
    return false;
  return use != Use::background ||
         together + used_[index_of(Use::brief)] < shares_.background_below;
}

void ConnectionPool::count_locked(Use use, int change) {
  used_[index_of(use)] += static_cast<std::size_t>(change);
}

/// With the mutex held: the first in line that may have a place, or null. A background fill only
/// where nobody else may.
ConnectionPool::Ticket* ConnectionPool::next_locked(const Lines& lines) const {
  Ticket* next = nullptr;
  for (const Use use : {Use::brief, Use::fill, Use::upload}) {
    const Line& line = lines[index_of(use)];
    if (line.empty() || !has_share_locked(use))
      continue;
    if (next == nullptr || line.front()->number_locked() < next->number_locked())
      next = line.front();
  }
  const Line& background = lines[index_of(Use::background)];
  if (next == nullptr && !background.empty() && has_share_locked(Use::background))
    next = background.front();
  return next;
}

/// With the mutex held: whether `later`, which waits for a connection of its own worker, may have
/// it before the first in line.
bool ConnectionPool::may_pass_locked(const Ticket& later, const Ticket& first) {
  const bool same_class =
      (later.use_locked() == Use::background) == (first.use_locked() == Use::background);
  return same_class && later.since_locked() - first.since_locked() < kPassedOver;
}

/// With the mutex held: whether a connection that nobody on its worker waits for may stay idle.
/// Requests that came just now will ask for it unless their own worker has one for them first.
bool ConnectionPool::may_keep_locked() const {
  for (const Use use : {Use::brief, Use::fill, Use::background, Use::upload}) {
    const Line& line = waiting_[index_of(use)];
    if (!line.empty() && has_share_locked(use) && !line.front()->came_just_now_locked())
      return false;
  }
  return true;
}

void ConnectionPool::put_back(std::unique_ptr<Link> link, Use use) {
  Shelf& own = shelf();
  std::shared_ptr<runtime::Waiter> next;
  {
    const Lock lock{mutex_};
    count_locked(use, -1);
    Ticket* const local = next_locked(own.waiting);
    if (local != nullptr && may_pass_locked(*local, *next_locked(waiting_)))
      next = local->grant_locked(std::move(link));
    else if (local == nullptr && !own.stopped && may_keep_locked())
      own.keep_locked(std::move(link));
  }
  if (next)
    next->wake();
  if (!link)
    return;
  // Closed first, so that who gets the place does not make one connection too many.
  link.reset();
  free_place(std::nullopt);
}

/// A connection was closed or not made: the first in line may make one. An idle one was not used.
void ConnectionPool::free_place(std::optional<Use> used) {
  std::shared_ptr<runtime::Waiter> next;
  {
    const Lock lock{mutex_};
    if (used)
      count_locked(*used, -1);
    if (Ticket* const first = next_locked(waiting_); first != nullptr)
      next = first->grant_locked(nullptr);
    else
      --open_;
  }
  if (next)
    next->wake();
}

/// Has some worker close an idle connection, where there is one that nobody asked for.
void ConnectionPool::ask_for_idle() {
  Shelf* richest = nullptr;
  {
    const Lock lock{mutex_};
    for (const auto& shelf : shelves_) {
      const bool richer =
          shelf && shelf->idle > shelf->asked &&
          (richest == nullptr || shelf->idle - shelf->asked > richest->idle - richest->asked);
      if (richer)
        richest = shelf.get();
    }
    if (richest == nullptr)
      return;
    ++richest->asked;
  }
  boost::asio::post(richest->owner().context(), [pool = weak_from_this(), richest] {
    const auto self = pool.lock();
    if (!self)
      return;
    {
      const Lock lock{self->mutex_};
      --richest->asked;
    }
    // If its worker used it meanwhile, it goes to the first in line when it is given back.
    richest->close_first();
  });
}

/// Returns when the ticket has been granted a place, or `patience` has passed.
Task<void> ConnectionPool::wait_in_line(Ticket& ticket, Deadline patience) {
  const bool granted = co_await ticket.wait(patience.capped(kGrace));
  if (granted || patience.expired())
    co_return;
  if (ticket.lacks_place())
    ask_for_idle();
  co_await ticket.wait(patience);
}

Task<Result<std::unique_ptr<Link>>> ConnectionPool::make_link(Deadline deadline) {
  const Deadline patience = deadline.capped(config_.connect_timeout);
  auto stream = co_await net::connect(endpoint_, tls_.get(), patience);
  if (!stream) {
    count_error(ErrorKind::connect);
    co_return stream.error();
  }
  PoolMetrics::get().opened.add();
  co_return std::make_unique<Link>(std::move(stream).value());
}

Task<Result<Connection>> ConnectionPool::take(Use use, Deadline deadline,
                                              std::optional<Deadline> queue) {
  const std::shared_ptr<ConnectionPool> self = shared_from_this();
  Ticket ticket{*self, use};
  std::unique_ptr<Link> link;
  if (ticket.is_admitted())
    link = shelf().take_last();
  if (link)
    co_return Connection{self, std::move(link), true, use};

  const Deadline patience = deadline.capped(queue.value_or(Deadline::after(config_.wait)));
  ticket.ask_for_place();
  if (ticket.waits())
    co_await wait_in_line(ticket, patience);
  if (!ticket.leave_line()) {
    count_error(ErrorKind::overloaded);
    co_return Errc::overloaded;
  }
  link = ticket.take_link();
  const bool reused = link != nullptr;
  if (!reused) {
    CO_TRY(link, co_await make_link(deadline));
  }
  ticket.spend();
  co_return Connection{self, std::move(link), reused, use};
}

}  // namespace forebay::origin
