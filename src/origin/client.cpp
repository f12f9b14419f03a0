#include "origin/connection_pool.hpp"
#include "origin/error_metrics.hpp"
#include "origin/route_table.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/base/errc.hpp>
#include <forebay/base/log.hpp>
#include <forebay/base/metrics.hpp>
#include <forebay/http/header_rules.hpp>
#include <forebay/net/http_reader.hpp>
#include <forebay/net/http_writer.hpp>
#include <forebay/origin/client.hpp>
#include <forebay/origin/redirect.hpp>

#include <array>
#include <chrono>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>

namespace forebay::origin {
namespace {

constexpr int kContinue = 100;
/// 100s that a request without a body gets before its answer: nobody asked for any.
constexpr int kInterimMax = 8;

struct ClientMetrics {
  static metrics::Counter& requests(const char* reason) {
    return metrics::Registry::instance().counter("forebay_origin_requests_total",
                                                 "Requests sent to the origin, by why.",
                                                 {{"reason", reason}});
  }
  static metrics::Counter& bytes(const char* direction) {
    return metrics::Registry::instance().counter("forebay_origin_bytes_total",
                                                 "Body bytes exchanged with the origin.",
                                                 {{"direction", direction}});
  }
  static metrics::Counter& responses(const char* status_class) {
    return metrics::Registry::instance().counter("forebay_origin_responses_total",
                                                 "Answers of the origin, by status class.",
                                                 {{"class", status_class}});
  }

  std::array<metrics::Counter*, 6> reasons{&requests("lookup"),     &requests("fill"),
                                           &requests("background"), &requests("prestage"),
                                           &requests("forward"),    &requests("credentials")};
  std::array<metrics::Counter*, 6> classes{nullptr,           &responses("1xx"), &responses("2xx"),
                                           &responses("3xx"), &responses("4xx"), &responses("5xx")};
  metrics::Counter& in = bytes("in");
  metrics::Counter& out = bytes("out");
  metrics::Histogram& seconds = metrics::Registry::instance().histogram(
      "forebay_origin_request_seconds", "From a request to the head of its answer.");

  static ClientMetrics& get() {
    static ClientMetrics instance;
    return instance;
  }
};

bool is_safe(const http::RequestHead& head) {
  return head.method == "GET" || head.method == "HEAD";
}

/// What of a safe request decides which answers it may get.
struct Asked {
  bool part;       ///< Of the body, by Range or partNumber.
  bool condition;  ///< That "not modified" may answer.
};

Asked asked_by(const http::RequestHead& head) {
  return {.part = head.headers.contains("Range") ||
                  head.target.find("partNumber=") != std::string::npos,
          .condition =
              head.headers.contains("If-None-Match") || head.headers.contains("If-Modified-Since")};
}

/// 206 and 304 answer what was asked, or are another request's answer.
bool may_answer(int status, const Asked& asked) {
  constexpr int kPartialContent = 206;
  constexpr int kNotModified = 304;
  return (status != kPartialContent || asked.part) && (status != kNotModified || asked.condition);
}

/// What the head announces of the request's own body.
http::BodyFraming body_of(const http::RequestHead& head) {
  const auto framing = http::request_framing(head);
  return framing ? framing.value() : http::BodyFraming{};
}

/// What the request will use its connection for.
Use use_of(Reason reason, bool has_body) {
  if (reason == Reason::fill)
    return Use::fill;
  if (reason == Reason::background || reason == Reason::prestage)
    return Use::background;
  return reason == Reason::forward && has_body ? Use::upload : Use::brief;
}

/// A connection and what is being written to it.
struct Wire {
  Wire(Connection taken, http::BodyFraming body)
      : connection{std::move(taken)}, writer{connection.stream(), {}, body} {}

  Connection connection;
  net::MessageWriter writer;  ///< Of the body: the head goes before it, by itself.
};

class PooledExchange final : public Exchange {
 public:
  PooledExchange(std::shared_ptr<ConnectionPool> pool, http::RequestHead head, Reason reason)
      : pool_{std::move(pool)},
        head_{std::move(head)},
        reason_{reason},
        body_{body_of(head_)},
        has_body_{body_.framing == http::Framing::chunked ||
                  (body_.framing == http::Framing::length && body_.length != 0)},
        request_done_{!has_body_} {}

  ~PooledExchange() override {
    if (wire_ && request_done_ && response_read_ && reusable_)
      wire_->connection.give_back();
  }

  /// Takes a connection and sends the head.
  Task<Result<void>> open(Deadline deadline, std::optional<Deadline> queue) {
    CO_TRY(Connection connection,
           co_await pool_->take(use_of(reason_, has_body_), deadline, queue));
    wire_.emplace(std::move(connection), body_);
    co_return co_await send_request(deadline);
  }

  Task<Result<void>> write_body(std::span<const std::byte> data, Deadline deadline) override {
    // Not while a 100 may still come: that is no answer.
    wire_->connection.stream().stop_writes_at_input(interim_seen_ ||
                                                    !head_.headers.contains("Expect"));
    const Result<void> written = co_await wire_->writer.write(data, deadline);
    if (!written) {
      count_write_error(written.error());
      co_return written.error();
    }
    ClientMetrics::get().out.add(data.size());
    co_return success();
  }

  Task<Result<void>> finish_body(Deadline deadline) override {
    const Result<void> finished = co_await wire_->writer.finish(deadline);
    if (!finished) {
      count_write_error(finished.error());
      co_return finished.error();
    }
    request_done_ = true;
    co_return success();
  }

  bool response_pending() override {
    return reader().has_buffered() || wire_->connection.stream().input() != net::Input::none;
  }

  Task<Result<bool>> wait_response(Deadline deadline) override {
    if (reader().has_buffered())
      co_return true;
    co_return co_await wire_->connection.stream().wait_readable(deadline);
  }

  Task<Result<void>> wait_response_or(net::Stream& client, Deadline deadline) override {
    if (reader().has_buffered())
      co_return success();
    co_return co_await net::wait_for_input(client, wire_->connection.stream(), deadline);
  }

  Task<Result<http::ResponseHead>> read_head(Deadline deadline) override {
    auto head = co_await receive_head(deadline);
    if (!head)
      count_error(head.error());
    co_return head;
  }

  Task<Result<std::size_t>> read_body(std::span<std::byte> buffer, Deadline deadline) override {
    const auto got = co_await reader().read_body(buffer, deadline);
    if (!got) {
      count_error(got.error());
      co_return got.error();
    }
    ClientMetrics::get().in.add(got.value());
    response_read_ = reader().body_done();
    co_return got.value();
  }

  http::BodyFraming framing() const override { return framing_; }

 private:
  /// An origin that closes has answered early, or read_head() will tell.
  static void count_write_error(const Error& error) {
    if (error == Errc::timeout)
      count_error(ErrorKind::timeout);
  }

  net::HttpReader& reader() { return wire_->connection.reader(); }

  /// Sends the head on the connection at hand. A pooled connection that breaks meanwhile is
  /// replaced where the method is safe, or nothing was sent on it.
  Task<Result<void>> send_request(Deadline deadline) {
    CO_TRY(const std::string text, net::serialize(head_));
    for (;;) {
      ClientMetrics::get().reasons[static_cast<std::size_t>(reason_)]->add();
      bool started = false;
      const Result<void> sent = co_await send_head(text, started, deadline);
      if (sent)
        co_return success();
      const bool stale = wire_->connection.reused() && sent.error() == Errc::closed;
      if (!stale || (started && !is_safe(head_))) {
        count_error(sent.error());
        co_return sent.error() == Errc::closed ? make_error_code(Errc::unavailable) : sent.error();
      }
      CO_TRY(co_await renew(deadline));
    }
  }

  /// A new connection in the place of a stale one: the request has waited for that place already.
  Task<Result<void>> renew(Deadline deadline) {
    Connection connection = std::move(wire_->connection);
    wire_.reset();
    CO_TRY(co_await connection.renew(deadline));
    wire_.emplace(std::move(connection), body_);
    co_return success();
  }

  /// `started` becomes true with the first byte that the connection takes.
  Task<Result<void>> send_head(std::string_view text, bool& started, Deadline deadline) {
    net::Stream& stream = wire_->connection.stream();
    const net::ConstBytes bytes = std::as_bytes(std::span{text});
    CO_TRY(const std::size_t taken, stream.try_write(std::span{&bytes, 1}));
    started = taken != 0;
    CO_TRY(co_await stream.write_all(text.substr(taken), deadline));
    co_return success();
  }

  Task<Result<http::ResponseHead>> receive_head(Deadline deadline) {
    auto head = co_await reader().read_response(deadline);
    const bool unanswered = !head && head.error() == Errc::closed && !interim_seen_;
    if (unanswered && wire_->connection.reused() && is_safe(head_) && !has_body_) {
      // The origin closed the pooled connection as the request went out.
      CO_TRY(co_await renew(deadline));
      CO_TRY(co_await send_request(deadline));
      head = co_await reader().read_response(deadline);
    }
    if (!head)
      co_return head.error();
    if (head.value().status == kContinue) {
      interim_seen_ = true;
      co_return head;
    }
    CO_TRY(accept(head.value()));
    co_return head;
  }

  /// What a final head means for the body and the connection.
  Result<void> accept(const http::ResponseHead& head) {
    ClientMetrics& metrics = ClientMetrics::get();
    metrics.seconds.observe(std::chrono::duration<double>(Clock::now() - started_).count());
    if (const int hundreds = head.status / 100; hundreds >= 1 && hundreds <= 5)
      metrics.classes[static_cast<std::size_t>(hundreds)]->add();
    TRY(framing_, http::response_framing(head_.method, head));
    reader().set_body(framing_);
    reusable_ = net::is_persistent(head) && framing_.framing != http::Framing::until_close;
    response_read_ = reader().body_done();
    return success();
  }

  std::shared_ptr<ConnectionPool> pool_;
  http::RequestHead head_;
  Reason reason_;
  http::BodyFraming body_;
  TimePoint started_ = Clock::now();
  std::optional<Wire> wire_;  ///< Set after open() succeeded, and until a renew() that failed.
  http::BodyFraming framing_;
  bool has_body_;
  bool request_done_;
  bool interim_seen_ = false;
  bool response_read_ = false;
  bool reusable_ = false;
};

class PooledClient final : public Client {
 public:
  PooledClient(const OriginConfig& config, Origin origin, std::shared_ptr<ConnectionPool> pool)
      : origin_{std::move(origin)}, pool_{std::move(pool)} {
    config_ = config;
  }

  Route route(std::string_view target) const override {
    auto learnt = routes_.find(bucket_of_target(target));
    return learnt ? *std::move(learnt) : Route{origin_.host, config_.region};
  }

  bool learn(std::string_view target, const http::ResponseHead& answer,
             std::string_view body) override {
    const std::string_view bucket = bucket_of_target(target);
    auto host = redirect_host(answer, body, bucket, config_.redirect_hosts);
    if (!host) {
      log::get("origin").warn(
          "bucket {}: the origin redirects (status {}) to {}, which origin.redirect_hosts does not "
          "allow",
          named_bucket(target), answer.status, named_host(answer, body));
      return false;
    }
    const std::string_view region = answer.headers.value_or_empty("x-amz-bucket-region");
    routes_.note(bucket, {*std::move(host), region.empty() ? config_.region : std::string{region}});
    return true;
  }

  Task<Result<std::unique_ptr<Exchange>>> send(http::RequestHead head, Reason reason,
                                               Deadline deadline,
                                               std::optional<Deadline> queue) override {
    if (!head.headers.contains("Host"))
      head.headers.add("Host", origin_.host);
    CO_TRY(auto pool, pool_of(head));
    auto exchange = std::make_unique<PooledExchange>(std::move(pool), std::move(head), reason);
    CO_TRY(co_await exchange->open(deadline, queue));
    co_return std::unique_ptr<Exchange>{std::move(exchange)};
  }

  Task<Result<std::unique_ptr<Exchange>>> get(http::RequestHead head, Reason reason,
                                              Deadline deadline, http::ResponseHead& response,
                                              std::optional<Deadline> queue) override {
    ASSERT(is_safe(head));
    const Asked asked = asked_by(head);
    CO_TRY(auto exchange, co_await send(std::move(head), reason, deadline, queue));
    for (int interim = 0; interim < kInterimMax; ++interim) {
      CO_TRY(response, co_await exchange->read_head(deadline));
      note_pressure(response);
      if (!may_answer(response.status, asked))
        break;
      if (response.status != kContinue)
        co_return std::move(exchange);
    }
    count_error(ErrorKind::protocol);
    co_return Errc::protocol;
  }

  void stop() override {
    pool_->stop();
    const std::lock_guard lock{mutex_};
    for (const auto& [host, pool] : others_)
      pool->stop();
  }

 private:
  void note_pressure(const http::ResponseHead& answer) {
    constexpr int kTooManyRequests = 429;
    constexpr int kServiceUnavailable = 503;
    if (answer.status != kTooManyRequests && answer.status != kServiceUnavailable)
      return;
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    pressure_.note(Clock::now(),
                   parse_retry_after(answer.headers.value_or_empty("Retry-After"), now));
  }

  /// Of the host that a route led to. Any other Host, a caller's own among them, is a name for
  /// origin.endpoint.
  Result<std::shared_ptr<ConnectionPool>> pool_of(const http::RequestHead& head) {
    const std::string host{head.headers.value_or_empty("Host")};
    if (host == origin_.host)
      return pool_;
    const std::lock_guard lock{mutex_};
    const auto known = others_.find(host);
    if (known != others_.end())
      return known->second;
    const auto learnt = routes_.find(bucket_of_target(head.target));
    if (!learnt || learnt->host != host)
      return pool_;
    const std::string scheme = config_.endpoint.substr(0, config_.endpoint.find("//") + 2);
    TRY(const Origin other, parse_endpoint(scheme + host));
    TRY(auto pool, ConnectionPool::create(config_, other.endpoint));
    others_.emplace(host, pool);
    return pool;
  }

  Origin origin_;
  std::shared_ptr<ConnectionPool> pool_;
  RouteTable routes_;
  std::mutex mutex_;
  /// Guarded by mutex_; by host, as many as origin.redirect_hosts allows.
  std::unordered_map<std::string, std::shared_ptr<ConnectionPool>> others_;
};

}  // namespace

Result<std::unique_ptr<Client>> Client::create(const OriginConfig& config) {
  TRY(Origin origin, parse_endpoint(config.endpoint));
  TRY(auto pool, ConnectionPool::create(config, origin.endpoint));
  return std::make_unique<PooledClient>(config, std::move(origin), std::move(pool));
}

}  // namespace forebay::origin
