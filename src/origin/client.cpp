#include "origin/connection_pool.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/base/errc.hpp>
#include <forebay/base/log.hpp>
#include <forebay/base/metrics.hpp>
#include <forebay/http/header_rules.hpp>
#include <forebay/net/http_reader.hpp>
#include <forebay/net/http_writer.hpp>
#include <forebay/origin/client.hpp>

#include <optional>
#include <utility>

namespace forebay::origin {
namespace {

constexpr int kContinue = 100;

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

  metrics::Counter* reasons[4] = {&requests("lookup"), &requests("fill"), &requests("prestage"),
                                  &requests("forward")};
  metrics::Counter* classes[6] = {nullptr,           &responses("1xx"), &responses("2xx"),
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

/// What the head announces of the request's own body.
http::BodyFraming body_of(const http::RequestHead& head) {
  const auto framing = http::request_framing(head);
  return framing ? framing.value() : http::BodyFraming{};
}

class PooledExchange final : public Exchange {
 public:
  PooledExchange(Connection connection, std::string method, std::string head,
                 http::BodyFraming body)
      : connection_{std::move(connection)},
        method_{std::move(method)},
        writer_{connection_.stream(), std::move(head), body},
        request_done_{body.framing == http::Framing::none ||
                      (body.framing == http::Framing::length && body.length == 0)} {}

  ~PooledExchange() override {
    if (request_done_ && response_read_ && reusable_)
      connection_.give_back();
  }

  /// The head, where no body byte will carry it along soon.
  Task<Result<void>> send_head(Deadline deadline) {
    return request_done_ ? writer_.finish(deadline) : writer_.flush(deadline);
  }

  Task<Result<void>> write_body(std::span<const std::byte> data, Deadline deadline) override {
    CO_TRY(co_await writer_.write(data, deadline));
    ClientMetrics::get().out.add(data.size());
    co_return success();
  }

  Task<Result<void>> finish_body(Deadline deadline) override {
    CO_TRY(co_await writer_.finish(deadline));
    request_done_ = true;
    co_return success();
  }

  bool response_pending() override {
    return connection_.reader().has_buffered() || connection_.stream().input() != net::Input::none;
  }

  Task<Result<bool>> wait_response(Deadline deadline) override {
    if (connection_.reader().has_buffered())
      co_return true;
    co_return co_await connection_.stream().wait_readable(deadline);
  }

  Task<Result<http::ResponseHead>> read_head(Deadline deadline) override {
    CO_TRY(http::ResponseHead head, co_await connection_.reader().read_response(deadline));
    if (head.status == kContinue)
      co_return head;
    ClientMetrics& metrics = ClientMetrics::get();
    metrics.seconds.observe(std::chrono::duration<double>(Clock::now() - started_).count());
    if (const int hundreds = head.status / 100; hundreds >= 1 && hundreds <= 5)
      metrics.classes[hundreds]->add();
    CO_TRY(framing_, http::response_framing(method_, head));
    connection_.reader().set_body(framing_);
    const std::string option = http::to_lower(head.headers.value_or_empty("Connection"));
    const bool asked_to_close = option.find("close") != std::string::npos;
    const bool keep_alive =
        head.minor_version == 1 || option.find("keep-alive") != std::string::npos;
    reusable_ = keep_alive && !asked_to_close && framing_.framing != http::Framing::until_close;
    response_read_ = connection_.reader().body_done();
    co_return head;
  }

  Task<Result<std::size_t>> read_body(std::span<std::byte> buffer, Deadline deadline) override {
    CO_TRY(const std::size_t got, co_await connection_.reader().read_body(buffer, deadline));
    ClientMetrics::get().in.add(got);
    response_read_ = connection_.reader().body_done();
    co_return got;
  }

  http::BodyFraming framing() const override { return framing_; }
  bool was_reused() const { return connection_.reused(); }
  bool head_sent() const { return writer_.started(); }

 private:
  Connection connection_;
  std::string method_;
  net::MessageWriter writer_;
  http::BodyFraming framing_;
  TimePoint started_ = Clock::now();
  bool request_done_;
  bool response_read_ = false;
  bool reusable_ = false;
};

class PooledClient final : public Client {
 public:
  PooledClient(const OriginConfig& config, std::string host, std::shared_ptr<ConnectionPool> pool)
      : pool_{std::move(pool)} {
    config_ = config;
    host_ = std::move(host);
  }

  Task<Result<std::unique_ptr<Exchange>>> send(http::RequestHead head, Reason reason,
                                               Deadline deadline) override {
    CO_TRY(auto exchange, co_await begin(head, reason, deadline, Reuse::allowed));
    co_return std::unique_ptr<Exchange>{std::move(exchange)};
  }

  Task<Result<std::unique_ptr<Exchange>>> get(http::RequestHead head, Reason reason,
                                              Deadline deadline,
                                              http::ResponseHead& response) override {
    ASSERT(is_safe(head));
    CO_TRY(auto exchange, co_await begin(head, reason, deadline, Reuse::allowed));
    auto answer = co_await exchange->read_head(deadline);
    if (!answer && answer.error() == Errc::closed && exchange->was_reused()) {
      // The origin closed the pooled connection as the request went out: nothing was answered.
      CO_TRY(auto second, co_await begin(head, reason, deadline, Reuse::forbidden));
      exchange = std::move(second);
      answer = co_await exchange->read_head(deadline);
    }
    if (!answer)
      co_return answer.error();
    response = std::move(answer).value();
    co_return std::unique_ptr<Exchange>{std::move(exchange)};
  }

  void stop() override { pool_->close_idle(); }

 private:
  enum class Reuse { allowed, forbidden };

  /// Takes a connection and sends the head. A pooled connection that breaks before a byte is taken
  /// is replaced.
  Task<Result<std::unique_ptr<PooledExchange>>> begin(http::RequestHead head, Reason reason,
                                                      Deadline deadline, Reuse reuse) {
    if (!head.headers.contains("Host"))
      head.headers.add("Host", host_);
    const http::BodyFraming body = body_of(head);
    for (;;) {
      CO_TRY(std::string text, net::serialize(head));
      const bool fresh = reuse == Reuse::forbidden;
      CO_TRY(Connection connection, co_await pool_->take(deadline, fresh));
      auto exchange = std::make_unique<PooledExchange>(std::move(connection), head.method,
                                                       std::move(text), body);
      const Result<void> sent = co_await exchange->send_head(deadline);
      if (sent) {
        ClientMetrics::get().reasons[static_cast<int>(reason)]->add();
        co_return exchange;
      }
      const bool may_repeat = exchange->was_reused() && (is_safe(head) || !exchange->head_sent());
      if (sent.error() != Errc::closed || !may_repeat)
        co_return sent.error() == Errc::closed ? make_error_code(Errc::unavailable) : sent.error();
      reuse = Reuse::forbidden;
    }
  }

  std::shared_ptr<ConnectionPool> pool_;
};

}  // namespace

Result<std::unique_ptr<Client>> Client::create(const OriginConfig& config) {
  TRY(const Origin origin, parse_endpoint(config.endpoint));
  TRY(auto pool, ConnectionPool::create(config, origin.endpoint));
  return std::make_unique<PooledClient>(config, origin.host, std::move(pool));
}

}  // namespace forebay::origin
