#include "app/daemon.hpp"

#include "unit/net/net_fixture.hpp"

#include <forebay/base/errc.hpp>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace forebay::app {
namespace {

namespace fs = std::filesystem;
using net::testing::RawClient;
using testing::HasSubstr;
using testing::StartsWith;

class DaemonTest : public testing::Test {
 protected:
  DaemonTest() {
    std::string name = (fs::temp_directory_path() / "forebay-daemon-XXXXXX").string();
    directory_ = mkdtemp(name.data());
    write_credentials("credentials: [{access_key: A, secret_key: B}]\n");
    config_.s3.address = "127.0.0.1:0";
    config_.admin.address = "127.0.0.1:0";
    config_.origin.endpoint = "http://127.0.0.1:1";
    config_.auth.credentials_file = (directory_ / "credentials.yaml").string();
    config_.pool.size_bytes = 32 * MiB;
    config_.runtime.workers = 2;
  }
  ~DaemonTest() override { fs::remove_all(directory_); }

  void write_credentials(const std::string& text) const {
    const fs::path path = directory_ / "credentials.yaml";
    std::ofstream{path} << text;
    fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  }

  std::unique_ptr<Daemon> start() const {
    auto daemon = Daemon::start(config_);
    EXPECT_TRUE(daemon);
    return std::move(daemon).value();
  }

  static std::string get(std::uint16_t port, const std::string& target) {
    RawClient client{port};
    client.send("GET " + target + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    return client.receive_all();
  }

  fs::path directory_;
  config::Config config_;
};

TEST_F(DaemonTest, ServesUntilItIsStopped) {
  config_.proxy.anonymous = proxy::AnonymousPolicy::deny;
  const auto daemon = start();
  const std::string refused = get(daemon->s3_port(), "/bucket/key");
  EXPECT_THAT(refused, StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(refused, HasSubstr("<Code>AccessDenied</Code>"));
  EXPECT_THAT(get(daemon->admin_port(), "/readyz"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(get(daemon->admin_port(), "/status.json"), HasSubstr("\"pages\":256"));
  daemon->stop();
}

TEST_F(DaemonTest, OpensItsDevices) {
  config_.cache.disk.devices = {{(directory_ / "slab0").string(), 64 * MiB}};
  const auto daemon = start();
  const std::string status = get(daemon->admin_port(), "/status.json");
  EXPECT_THAT(status, HasSubstr("\"path\":\"" + (directory_ / "slab0").string() + "\""));
  EXPECT_THAT(status, HasSubstr("\"readable\":true,\"writable\":true"));
  daemon->stop();
  EXPECT_EQ(fs::file_size(directory_ / "slab0"), 64 * MiB);
}

TEST_F(DaemonTest, AnExchangeInProgressHoldsTheDrain) {
  const auto daemon = start();
  auto stalled = std::make_unique<RawClient>(daemon->s3_port());
  stalled->send("GET / HTTP/1.1\r\n");
  // The listener takes connections in order: with this one it has taken in the one before.
  get(daemon->s3_port(), "/");
  std::atomic<bool> stopped{false};
  std::thread stopping{[&] {
    daemon->stop();
    stopped = true;
  }};
  // The first thing that a stop does.
  while (get(daemon->admin_port(), "/readyz").starts_with("HTTP/1.1 200 "))
    std::this_thread::yield();
  EXPECT_THAT(get(daemon->admin_port(), "/readyz"), StartsWith("HTTP/1.1 503 "));
  EXPECT_FALSE(stopped);
  stalled.reset();
  stopping.join();
  EXPECT_TRUE(stopped);
}

TEST_F(DaemonTest, AnIdleConnectionDoesNotHoldTheDrain) {
  const auto daemon = start();
  RawClient idle{daemon->s3_port()};
  get(daemon->s3_port(), "/");
  daemon->stop();
}

TEST_F(DaemonTest, LeavesNothingRunningWhereItCannotStart) {
  const auto daemon = start();
  const std::string taken = "127.0.0.1:" + std::to_string(daemon->s3_port());
  struct Case {
    const char* name;
    void (*spoil)(config::Config&, const std::string&);
  };
  const Case kCases[] = {
      {"S3 address taken",
       [](config::Config& config, const std::string& address) { config.s3.address = address; }},
      {"admin address taken",
       [](config::Config& config, const std::string& address) { config.admin.address = address; }},
      {"no credentials",
       [](config::Config& config, const std::string&) {
         config.auth.credentials_file = "/no/such/file";
       }},
      {"no certificate",
       [](config::Config& config, const std::string&) {
         config.s3.certificate_file = "/no/such/cert.pem";
         config.s3.key_file = "/no/such/key.pem";
       }},
      {"no authorities",
       [](config::Config& config, const std::string&) {
         config.origin.endpoint = "https://127.0.0.1:1";
         config.origin.ca_file = "/no/such/ca.pem";
       }},
  };
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.name);
    config::Config spoiled = config_;
    test.spoil(spoiled, taken);
    const auto failed = Daemon::start(spoiled);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error(), Errc::invalid_config);
  }
  daemon->stop();
}

TEST_F(DaemonTest, NoticesNewCredentials) {
  const auto daemon = start();
  const auto code_for = [&](const std::string& key) {
    RawClient client{daemon->s3_port()};
    client.send("GET /b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=" + key +
                "%2F20260101%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20260101T000000Z"
                "&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=" +
                std::string(64, '0') + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    return client.receive_all();
  };
  EXPECT_THAT(code_for("NEW"), HasSubstr("<Code>InvalidAccessKeyId</Code>"));
  write_credentials("credentials: [{access_key: NEW, secret_key: BBBB}]\n");
  daemon->poll();
  EXPECT_THAT(code_for("NEW"), testing::Not(HasSubstr("InvalidAccessKeyId")));
  daemon->stop();
}

}  // namespace
}  // namespace forebay::app
