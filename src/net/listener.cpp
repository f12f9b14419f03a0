#include "net/descriptor_reserve.hpp"
#include "net/tcp_stream.hpp"
#include "net/tls_stream.hpp"

#include <forebay/base/errc.hpp>
#include <forebay/base/log.hpp>
#include <forebay/base/metrics.hpp>
#include <forebay/net/connect.hpp>
#include <forebay/net/listener.hpp>
#include <forebay/runtime/waiter.hpp>

#include <atomic>
#include <cerrno>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/intrusive/list.hpp>
#include <sys/socket.h>
#include <unistd.h>

namespace forebay::net {
namespace {

using boost::asio::ip::tcp;
using Streams = boost::intrusive::list<Stream, boost::intrusive::constant_time_size<false>>;

constexpr milliseconds kBackOff{100};
constexpr int kAcceptsPerTurn = 32;

metrics::Counter& counter(std::string_view name, std::string_view help,
                          const std::string& listener) {
  return metrics::Registry::instance().counter(name, help, {{"listener", listener}});
}

struct ListenerMetrics {
  explicit ListenerMetrics(const std::string& name)
      : open{metrics::Registry::instance().gauge("forebay_net_connections", "Connections open now.",
                                                 {{"listener", name}})},
        accepted{counter("forebay_net_accepted_total", "Connections accepted.", name)},
        at_limit{counter("forebay_net_accept_paused_total",
                         "Times accepting stopped at listen.max_connections.", name)},
        out_of_resources{counter("forebay_net_accept_failures_total",
                                 "Times accept failed, e.g. for want of file descriptors.", name)},
        handshakes_failed{counter("forebay_net_tls_handshake_failures_total",
                                  "TLS handshakes that failed or took too long.", name)} {}

  metrics::Gauge& open;
  metrics::Counter& accepted;
  metrics::Counter& at_limit;
  metrics::Counter& out_of_resources;
  metrics::Counter& handshakes_failed;
};

}  // namespace

/// Shared by the listener, its accept task and each connection. What is not atomic or const belongs
/// to a worker: acceptor and room_freed to worker 0, streams[i] to worker i.
struct Listener::State {
  State(runtime::WorkerPool& workers, const ListenConfig& listen,
        std::shared_ptr<ConnectionHandler> serving)
      : pool{workers},
        config{listen},
        handler{std::move(serving)},
        counters{listen.name},
        reserve{listen.kept_descriptors},
        acceptor{workers.worker(0).context()},
        streams(workers.size()) {}

  runtime::WorkerPool& pool;
  const ListenConfig config;
  const std::shared_ptr<ConnectionHandler> handler;
  ListenerMetrics counters;
  std::shared_ptr<const TlsContext> tls;
  std::uint16_t port = 0;
  bool is_loopback = false;
  tcp protocol = tcp::v4();

  DescriptorReserve reserve;

  tcp::acceptor acceptor;
  std::shared_ptr<runtime::Waiter> room_freed;
  std::vector<Streams> streams;

  std::atomic<std::size_t> open{0};
  std::atomic<bool> waits_for_room{false};
  std::atomic<bool> stopping{false};

  class Connection;
  static Result<void> bind(State& state);
  static Task<void> accept_all(std::shared_ptr<State> state);
  int accept_one();
  static Task<bool> after_failed_accept(std::shared_ptr<State> state, int error);
  static Task<void> serve(std::shared_ptr<State> state, Connection connection);
  static Task<std::unique_ptr<Stream>> open_stream(std::shared_ptr<State> state,
                                                   tcp::socket socket);
};

/// One accepted connection's place under the limit, and its descriptor until a socket owns it.
class Listener::State::Connection {
 public:
  Connection(std::shared_ptr<State> state, runtime::Worker& worker, int descriptor)
      : state_{std::move(state)}, worker_{worker}, descriptor_{descriptor} {
    ++state_->open;
    worker_.connections.fetch_add(1, std::memory_order_relaxed);
    state_->counters.open.add(1);
    state_->counters.accepted.add();
  }
  Connection(Connection&& other) noexcept
      : state_{std::move(other.state_)},
        worker_{other.worker_},
        descriptor_{std::exchange(other.descriptor_, -1)} {}
  Connection& operator=(Connection&&) = delete;
  ~Connection() {
    if (descriptor_ >= 0)
      ::close(descriptor_);
    if (!state_)
      return;
    state_->counters.open.add(-1);
    worker_.connections.fetch_sub(1, std::memory_order_relaxed);
    --state_->open;
    state_->reserve.refill();
    if (state_->waits_for_room)
      state_->room_freed->wake();
  }

  int release_descriptor() { return std::exchange(descriptor_, -1); }

 private:
  std::shared_ptr<State> state_;
  runtime::Worker& worker_;
  int descriptor_;
};

Result<void> Listener::State::bind(State& state) {
  const ListenConfig& config = state.config;
  const auto unusable = [&config](const std::string& why) -> Error {
    log::get("net").error("cannot listen on {}: {}", config.address, why);
    return Errc::invalid_config;
  };
  const auto parsed = parse_host_port(config.address);
  if (!parsed)
    return unusable("not host:port");
  boost::system::error_code ec;
  tcp::resolver resolver{state.acceptor.get_executor()};
  const auto results = resolver.resolve(parsed.value().host, "", tcp::resolver::passive, ec);
  if (ec)
    return unusable(ec.message());
  const tcp::endpoint endpoint{results.begin()->endpoint().address(), parsed.value().port};
  state.protocol = endpoint.protocol();
  state.acceptor.open(state.protocol, ec);
  if (!ec)
    state.acceptor.set_option(tcp::acceptor::reuse_address{true}, ec);
  // Accepted sockets inherit it, and TCP chooses its window scale by it.
  if (!ec && config.send_buffer != 0) {
    const tcp::socket::send_buffer_size size{static_cast<int>(config.send_buffer)};
    state.acceptor.set_option(size, ec);
  }
  if (!ec)
    state.acceptor.bind(endpoint, ec);
  if (!ec)
    state.acceptor.listen(tcp::acceptor::max_listen_connections, ec);
  if (!ec)
    state.acceptor.native_non_blocking(true, ec);
  if (!ec)
    state.port = state.acceptor.local_endpoint(ec).port();
  if (ec)
    return unusable(ec.message());
  state.is_loopback = endpoint.address().is_loopback();
  return success();
}

/// As accept4(2): a descriptor, or -1 and errno.
int Listener::State::accept_one() {
  const auto accept = [this] {
    return ::accept4(acceptor.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  };
  reserve.refill();
  int descriptor = accept();
  while (descriptor < 0 && errno == EMFILE && reserve.release_one())
    descriptor = accept();
  return descriptor;
}

Task<void> Listener::State::accept_all(std::shared_ptr<State> state) {
  state->room_freed = runtime::Waiter::create();
  int accepted_this_turn = 0;
  while (!state->stopping) {
    state->waits_for_room = true;
    if (state->open >= state->config.max_connections) {
      state->counters.at_limit.add();
      while (!state->stopping && state->open >= state->config.max_connections) {
        const Deadline never = Deadline::never();
        co_await state->room_freed->wait(never);
      }
      continue;
    }
    state->waits_for_room = false;
    const int descriptor = state->accept_one();
    if (descriptor < 0) {
      const int error = errno;
      accepted_this_turn = 0;
      const bool open = co_await after_failed_accept(state, error);
      if (!open)
        break;
      continue;
    }
    runtime::Worker& worker = state->pool.least_loaded();
    state->pool.spawn_on(worker.index(), "connection", &State::serve, state,
                         Connection{state, worker, descriptor});
    if (++accepted_this_turn == kAcceptsPerTurn) {
      accepted_this_turn = 0;
      co_await boost::asio::post(state->acceptor.get_executor(), use_task);
    }
  }
}

/// Waits for the reason to pass. False when the acceptor was closed.
Task<bool> Listener::State::after_failed_accept(std::shared_ptr<State> state, int error) {
  if (error == EAGAIN || error == EWOULDBLOCK) {
    auto [ec] = co_await state->acceptor.async_wait(tcp::acceptor::wait_read, use_task);
    co_return !ec;
  }
  const bool out_of_resources =
      error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
  if (out_of_resources) {
    state->counters.out_of_resources.add();
    log::get("net").warn(
        "cannot accept: {}",
        boost::system::error_code{error, boost::system::system_category()}.message());
    const Deadline deadline = Deadline::after(kBackOff);
    co_await runtime::sleep_until(deadline);
  }
  // Anything else was the newcomer's own failure (accept(2)).
  co_return state->acceptor.is_open();
}

Task<void> Listener::State::serve(std::shared_ptr<State> state, Connection connection) {
  tcp::socket socket{runtime::Worker::current().context()};
  const int descriptor = connection.release_descriptor();
  boost::system::error_code ec;
  socket.assign(state->protocol, descriptor, ec);
  if (ec) {
    ::close(descriptor);
    co_return;
  }
  auto stream = co_await open_stream(state, std::move(socket));
  if (stream)
    co_await state->handler->serve(std::move(stream));
}

/// The stream, interrupted if the listener stops, its handshake done. Null when that failed.
Task<std::unique_ptr<Stream>> Listener::State::open_stream(std::shared_ptr<State> state,
                                                           tcp::socket socket) {
  Streams& streams = state->streams[runtime::Worker::current().index()];
  const bool stopping = state->stopping;
  if (!state->tls) {
    auto plain = std::make_unique<TcpStream>(std::move(socket));
    streams.push_back(*plain);
    if (stopping)
      plain->interrupt();
    co_return plain;
  }
  auto secure = std::make_unique<TlsStream>(std::move(socket), *state->tls);
  streams.push_back(*secure);
  if (stopping)
    secure->interrupt();
  const Deadline deadline = Deadline::after(state->config.header_timeout);
  const auto shaken = co_await secure->accept(deadline);
  if (!shaken) {
    if (shaken.error() != Errc::cancelled)
      state->counters.handshakes_failed.add();
    co_return nullptr;
  }
  co_return secure;
}

Result<std::unique_ptr<Listener>> Listener::start(runtime::WorkerPool& pool,
                                                  const ListenConfig& config,
                                                  std::shared_ptr<ConnectionHandler> handler) {
  auto state = std::make_shared<State>(pool, config, std::move(handler));
  if (!config.certificate_file.empty()) {
    TRY(state->tls, TlsContext::server(config.certificate_file, config.key_file));
  }
  TRY(State::bind(*state));
  pool.spawn_on(0, "accept", &State::accept_all, state);
  log::get("net").info("{} listens on {} (port {})", config.name, config.address, state->port);
  return std::unique_ptr<Listener>{new Listener{std::move(state)}};
}

Listener::~Listener() {
  stop();
}

std::uint16_t Listener::port() const {
  return state_->port;
}

bool Listener::is_loopback() const {
  return state_->is_loopback;
}

std::size_t Listener::connections() const {
  return state_->open;
}

void Listener::stop() {
  if (state_->stopping.exchange(true))
    return;
  boost::asio::post(state_->acceptor.get_executor(), [state = state_] {
    boost::system::error_code ignored;
    state->acceptor.close(ignored);
    if (state->room_freed)
      state->room_freed->wake();
  });
  for (std::size_t i = 0; i < state_->streams.size(); ++i) {
    boost::asio::post(state_->pool.worker(i).context(), [state = state_, i] {
      for (Stream& stream : state->streams[i])
        stream.interrupt();
    });
  }
}

}  // namespace forebay::net
