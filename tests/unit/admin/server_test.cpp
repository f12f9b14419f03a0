#include "admin/routes.hpp"
#include "unit/net/net_fixture.hpp"

#include <forebay/admin/server.hpp>
#include <forebay/base/errc.hpp>
#include <forebay/base/metrics.hpp>

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace forebay::admin {
namespace {

using net::testing::RawClient;

Task<Result<PurgeOutcome>> purge_one(std::string* asked, std::string bucket, std::string prefix) {
  *asked = bucket + "|" + prefix;
  if (bucket == "broken")
    co_return Errc::device_failed;
  PurgeOutcome outcome{.purged = 7};
  if (bucket == "hung")
    outcome.unreached = {{"/dev/\"a\"", 3}};
  co_return std::move(outcome);
}

class AdminServerTest : public net::testing::NetTest {
 protected:
  AdminServerTest() {
    AdminHooks hooks;
    hooks.version = "1.2.3";
    hooks.ready = [this] { return ready_.load(); };
    hooks.status_json = [] { return std::string{R"({"cache":{"size":42}})"}; };
    hooks.purge = [this](std::string bucket, std::string prefix) {
      return purge_one(&purged_, std::move(bucket), std::move(prefix));
    };
    server_ = start(std::move(hooks));
    // A thread that has not begun to run has no heartbeat yet.
    pool().run_on_each([](runtime::Worker&) {});
  }

  std::unique_ptr<AdminServer> start(AdminHooks hooks) {
    const AdminConfig config{.address = "127.0.0.1:0"};
    return std::move(AdminServer::start(pool(), config, std::move(hooks))).value();
  }

  /// The whole response to one request on a connection of its own.
  std::string ask(const std::string& request_line, const std::string& fields = {},
                  const std::string& body = {}) {
    RawClient client{server_->port()};
    client.send(request_line + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n" + fields +
                "\r\n" + body);
    return client.receive_all();
  }

  std::atomic<bool> ready_{true};
  std::string purged_;
  std::unique_ptr<AdminServer> server_;
};

std::string body_of(const std::string& response) {
  const auto end = response.find("\r\n\r\n");
  return end == std::string::npos ? std::string{} : response.substr(end + 4);
}

TEST_F(AdminServerTest, AnswersByMethodAndPath) {
  struct Case {
    const char* request;
    int status;
    const char* content_type;
    const char* body;
  };
  const std::vector<Case> cases{
      {"GET /healthz", 200, "text/plain; charset=utf-8", "ok\n"},
      {"GET /readyz?verbose", 200, "text/plain; charset=utf-8", "ready\n"},
      {"GET /status.json", 200, "application/json", R"({"cache":{"size":42}})"},
      {"POST /purge?bucket=b", 200, "application/json", "{\"purged\":7}\n"},
      {"POST /purge?bucket=hung", 200, "application/json",
       "{\"purged\":7,\"unreached\":[{\"device\":\"/dev/\\\"a\\\"\",\"blocks\":3}]}\n"},
      {"GET /nothing", 404, "application/json", "{\"error\":\"there is nothing here\"}\n"},
      {"GET /purge?bucket=b", 405, "application/json", "{\"error\":\"purge is a POST\"}\n"},
      {"DELETE /metrics", 405, "application/json", "{\"error\":\"this can only be read\"}\n"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.request);
    const std::string response = ask(c.request);
    EXPECT_TRUE(response.starts_with("HTTP/1.1 " + std::to_string(c.status) + " ")) << response;
    EXPECT_NE(response.find("Content-Type: " + std::string{c.content_type} + "\r\n"),
              std::string::npos);
    EXPECT_NE(response.find("Cache-Control: no-store\r\n"), std::string::npos);
    EXPECT_EQ(body_of(response), c.body);
  }
}

TEST_F(AdminServerTest, ShowsThePageForHumans) {
  for (const char* path : {"/", "/status"}) {
    const std::string response = ask("GET " + std::string{path});
    EXPECT_NE(response.find("Content-Type: text/html"), std::string::npos);
    EXPECT_NE(response.find("Forebay 1.2.3"), std::string::npos);
  }
}

TEST_F(AdminServerTest, ShowsMetricsInOrderAndHeadWithoutBody) {
  metrics::Registry::instance().counter("forebay_admin_test_total", "Of this test.").add(5);
  const std::string response = ask("GET /metrics");
  EXPECT_NE(response.find("Content-Type: text/plain; version=0.0.4"), std::string::npos);
  const std::string text = body_of(response);
  const auto counted = text.find("\nforebay_admin_test_total 5\n");
  const auto build = text.find("\nforebay_build_info{version=\"1.2.3\"} 1\n");
  const auto process = text.find("\nprocess_open_fds ");
  EXPECT_NE(process, std::string::npos);
  EXPECT_LT(counted, build);
  EXPECT_LT(build, process);
  const std::string head = ask("HEAD /metrics");
  EXPECT_TRUE(head.starts_with("HTTP/1.1 200 "));
  EXPECT_EQ(body_of(head), "");
}

TEST_F(AdminServerTest, ReadinessFollowsTheDaemon) {
  ready_ = false;
  EXPECT_TRUE(ask("GET /readyz").starts_with("HTTP/1.1 503 "));
  EXPECT_TRUE(ask("GET /healthz").starts_with("HTTP/1.1 200 "));
}

TEST_F(AdminServerTest, AWorkerIsStalledWhenItsLoopHasNotTurned) {
  EXPECT_EQ(stalled_worker(pool(), Clock::now()), pool().size());
  EXPECT_EQ(stalled_worker(pool(), Clock::now() + std::chrono::seconds{30}), 0U);
}

TEST_F(AdminServerTest, PurgesExactlyWhatWasAsked) {
  struct Case {
    const char* target;
    int status;
    const char* asked;
  };
  const std::vector<Case> cases{
      {"/purge?bucket=b", 200, "b|"},
      {"/purge?bucket=b&prefix=a%20b%2B+/", 200, "b|a b++/"},
      {"/purge?bucket=broken", 500, "broken|"},
      {"/purge", 400, ""},
      {"/purge?bucket=", 400, ""},
      {"/purge?prefix=a", 400, ""},
      {"/purge?bucket=b&prefx=a", 400, ""},
      {"/purge?bucket=b&prefix=a&prefix=b", 400, ""},
      {"/purge?bucket=b&prefix=%zz", 400, ""},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.target);
    purged_.clear();
    const std::string response = ask("POST " + std::string{c.target});
    EXPECT_TRUE(response.starts_with("HTTP/1.1 " + std::to_string(c.status) + " ")) << response;
    EXPECT_EQ(purged_, c.asked);
  }
}

TEST_F(AdminServerTest, RefusesWhatItCannotReadAndCloses) {
  struct Case {
    const char* name;
    std::string request;
    int status;
  };
  const std::vector<Case> cases{
      {"nonsense", "nonsense\r\n\r\n", 400},
      {"no Host", "GET / HTTP/1.1\r\n\r\n", 400},
      {"unknown coding", "POST /purge?bucket=b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x\r\n\r\n",
       501},
      {"large head", "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n",
       431},
      {"large body", "POST /purge?bucket=b HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n",
       413},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    RawClient client{server_->port()};
    ASSERT_TRUE(client.send(c.request));
    const std::string response = client.receive_all();
    EXPECT_TRUE(response.starts_with("HTTP/1.1 " + std::to_string(c.status) + " ")) << response;
    EXPECT_NE(response.find("Connection: close\r\n"), std::string::npos);
    EXPECT_TRUE(body_of(response).starts_with("{\"error\":"));
  }
  EXPECT_EQ(purged_, "");
}

TEST_F(AdminServerTest, KeepsTheConnectionAndEndsItOnStop) {
  RawClient client{server_->port()};
  const std::string request =
      "POST /purge?bucket=b HTTP/1.1\r\nHost: [::1]:9001\r\nContent-Length: 4\r\n\r\nbody";
  ASSERT_TRUE(client.send(request + request));
  const std::string first = client.receive();
  EXPECT_NE(first.find("Connection: keep-alive\r\n"), std::string::npos);
  server_->stop();
  const std::string rest = client.receive_all();
  EXPECT_NE((first + rest).find("{\"purged\":7}\n", first.find("{\"purged\":7}\n") + 1),
            std::string::npos);
}

TEST_F(AdminServerTest, WithoutHooksThereIsNothing) {
  server_ = start(AdminHooks{});
  for (const char* request : {"GET /status.json", "GET /", "POST /purge?bucket=b"}) {
    SCOPED_TRACE(request);
    EXPECT_TRUE(ask(request).starts_with("HTTP/1.1 404 "));
  }
  EXPECT_TRUE(ask("GET /readyz").starts_with("HTTP/1.1 200 "));
}

}  // namespace
}  // namespace forebay::admin
