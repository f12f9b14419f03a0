#pragma once
// A client, real workers, and what most tests ask of them.
#include "support/loopback_origin.hpp"
#include "support/run_on_worker.hpp"

#include <forebay/base/errc.hpp>
#include <forebay/base/metrics.hpp>
#include <forebay/origin/client.hpp>
#include <forebay/runtime/worker.hpp>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

namespace forebay::origin::testing {

/// Longer than any test should take: reaching it is the failure.
inline Deadline patience() {
  return Deadline::after(std::chrono::seconds{20});
}
/// A deadline that a test wants to see pass.
inline Deadline soon() {
  return Deadline::after(milliseconds{200});
}

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span{text});
}

/// "HTTP/1.1 200 OK" with this body and its length.
inline std::string ok(std::string_view body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string{body};
}

/// A peer's script: answers every request without a body with its own target.
inline void echo_targets(test::Peer& peer) {
  for (;;) {
    const std::string head = peer.receive_head();
    if (head.empty())
      return;
    const std::size_t begin = head.find(' ') + 1;
    peer.send(ok(std::string_view{head}.substr(begin, head.find(' ', begin) - begin)));
  }
}

inline http::RequestHead request(std::string method, std::string target) {
  http::RequestHead head;
  head.method = std::move(method);
  head.target = std::move(target);
  return head;
}

/// A PUT of `size` bytes.
inline http::RequestHead put(std::size_t size) {
  http::RequestHead head = request("PUT", "/bucket/key");
  head.headers.add("Content-Length", std::to_string(size));
  return head;
}

inline Task<Result<std::string>> read_all(Exchange& exchange) {
  std::string body;
  std::array<std::byte, 4096> buffer;
  for (;;) {
    CO_TRY(const std::size_t got, co_await exchange.read_body(buffer, patience()));
    if (got == 0)
      co_return body;
    body.append(reinterpret_cast<const char*>(buffer.data()), got);
  }
}

/// The body of the answer to a GET.
inline Task<Result<std::string>> fetch(Client& client, std::string target) {
  http::ResponseHead answer;
  http::RequestHead head = request("GET", std::move(target));
  const Deadline deadline = patience();
  CO_TRY(auto exchange, co_await client.get(std::move(head), Reason::lookup, deadline, answer));
  co_return co_await read_all(*exchange);
}

/// The value of a metric now.
inline double metric(std::string_view name, std::string_view label) {
  for (const metrics::Series& series : metrics::Registry::instance().snapshot()) {
    if (series.name == name && series.labels.size() == 1 && series.labels[0].second == label)
      return series.read();
  }
  return 0;
}
inline double errors(std::string_view kind) {
  return metric("forebay_origin_errors_total", kind);
}

class ClientTest : public ::testing::Test {
 protected:
  ~ClientTest() override {
    disconnect();
    workers_.stop();
  }

  /// Settings that a test may change before it connects.
  OriginConfig config;

  Client& connect(const std::string& endpoint) {
    config.endpoint = endpoint;
    client_ = Client::create(config).value();
    return *client_;
  }
  Client& client() { return *client_; }
  void disconnect() {
    if (!client_)
      return;
    workers_.run_on_each([this](runtime::Worker&) { client_->stop(); });
    EXPECT_EQ(metric("forebay_origin_connections", "active"), 0);
    EXPECT_EQ(metric("forebay_origin_connections", "idle"), 0);
    client_.reset();
  }
  void run(std::function<Task<void>()> body, std::size_t worker = 0) {
    test::run_on_worker(workers_, std::move(body), worker);
  }
  /// fetch() on a worker, "" where it fails.
  std::string fetched(const std::string& target, std::size_t worker = 0) {
    std::string text;
    run(
        [&]() -> Task<void> {
          auto body = co_await fetch(*client_, target);
          EXPECT_TRUE(body) << body.error().message();
          text = body ? std::move(body).value() : std::string{};
        },
        worker);
    return text;
  }
  runtime::WorkerPool& workers() { return workers_; }

 private:
  runtime::WorkerPool workers_{runtime::Config{.workers = 2}};
  std::unique_ptr<Client> client_;
};

}  // namespace forebay::origin::testing
