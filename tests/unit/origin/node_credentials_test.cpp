#include "origin/credential_provider.hpp"
#include "support/loopback_origin.hpp"

#include <forebay/base/errc.hpp>
#include <forebay/base/metrics.hpp>
#include <forebay/origin/node_credentials.hpp>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace forebay::origin {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using std::chrono::sys_days;
using std::chrono::sys_seconds;
using test::LoopbackOrigin;
using test::Peer;
using testing::HasSubstr;

const sys_seconds kStart = sys_days{2030y / 1 / 1};

std::string http_answer(int status, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) +
         " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string json_pair(const std::string& key, const std::string& expiration) {
  return R"({"Code": "Success", "AccessKeyId": ")" + key +
         R"(", "SecretAccessKey": "SK", "Token": "T", "Expiration": ")" + expiration + "\"}";
}

std::string sts_pair(const std::string& key, const std::string& expiration) {
  return "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>"
         "<AccessKeyId>" +
         key +
         "</AccessKeyId><SecretAccessKey>SK</SecretAccessKey><SessionToken>T</SessionToken>"
         "<Expiration>" +
         expiration +
         "</Expiration></Credentials></AssumeRoleWithWebIdentityResult>"
         "</AssumeRoleWithWebIdentityResponse>";
}

/// A service that answers each request with what the test set last for its method and target.
class Service {
 public:
  Service() : server_{[this](Peer& peer, std::size_t) { serve(peer); }} {}

  std::string endpoint() const { return server_.endpoint(); }

  /// The bytes to send; "" closes the connection instead.
  void answer(const std::string& what, const std::string& bytes) {
    const std::lock_guard lock{mutex_};
    answers_[what] = bytes;
  }
  /// From now on requests are never answered.
  void hold(bool held) { held_ = held; }
  /// From now on connections end behind the first answer.
  void close_early() { closing_ = true; }

  /// Heads and bodies, in order.
  std::vector<std::string> requests() const {
    const std::lock_guard lock{mutex_};
    return requests_;
  }
  std::size_t connections() const { return server_.accepted(); }

 private:
  void serve(Peer& peer) {
    for (;;) {
      std::string text = peer.receive_head();
      if (text.empty())
        return;
      const std::string what = text.substr(0, text.find(" HTTP/"));
      constexpr std::string_view kLength = "Content-Length: ";
      if (const auto at = text.find(kLength); at != std::string::npos)
        text += peer.receive(std::stoul(text.substr(at + kLength.size())));
      std::string bytes;
      {
        const std::lock_guard lock{mutex_};
        requests_.push_back(text);
        bytes = answers_.contains(what) ? answers_[what] : http_answer(404, "");
      }
      if (held_) {
        peer.receive_end();
        return;
      }
      if (bytes.empty() || !peer.send(bytes) || closing_)
        return;
    }
  }

  mutable std::mutex mutex_;
  std::map<std::string, std::string> answers_;  ///< Guarded by mutex_, as the next.
  std::vector<std::string> requests_;
  std::atomic<bool> held_{false};
  std::atomic<bool> closing_{false};
  LoopbackOrigin server_;
};

double refreshes(const char* result) {
  return static_cast<double>(
      metrics::Registry::instance()
          .counter("forebay_origin_credentials_refresh_total", "", {{"result", result}})
          .value());
}
std::int64_t expiry_metric() {
  return metrics::Registry::instance()
      .gauge("forebay_origin_credentials_expiry_seconds", "")
      .value();
}

class NodeCredentialsTest : public testing::Test {
 protected:
  NodeCredentialsTest() {
    std::string pattern = testing::TempDir() + "forebay-node-credentials-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~NodeCredentialsTest() override {
    workers_.stop();
    fs::remove_all(folder_);
  }

  NodeCredentialsConfig config;
  std::map<std::string, std::string> variables;

  void set_clock(sys_seconds now) { now_ = now; }

  std::string write(const std::string& name, const std::string& text, mode_t mode = 0600) {
    const fs::path path = folder_ / name;
    std::ofstream{path} << text;
    EXPECT_EQ(::chmod(path.c_str(), mode), 0);
    return path.string();
  }

  Result<std::unique_ptr<NodeCredentials>> create() {
    return NodeCredentials::create(config, {.variable =
                                                [this](const char* name) {
                                                  const auto found = variables.find(name);
                                                  return found == variables.end() ? std::string{}
                                                                                  : found->second;
                                                },
                                            .now = [this] { return now_.load(); },
                                            .random = [] { return 0.0; }});
  }

  /// poll(), and what it began.
  void poll(NodeCredentials& credentials) {
    credentials.poll(workers_);
    EXPECT_TRUE(workers_.drain(Deadline::after(20s)));
  }

  runtime::WorkerPool& workers() { return workers_; }

  /// "key/secret/token", or "none".
  static std::string now_valid(const NodeCredentials& credentials) {
    const auto pair = credentials.current();
    return pair ? pair->access_key + "/" + pair->secret_key.str() + "/" + pair->session_token.str()
                : "none";
  }

  void use_container(const Service& service) {
    config.source = CredentialSource::container;
    variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = service.endpoint() + "/v1/credentials";
  }

 private:
  fs::path folder_;
  std::atomic<sys_seconds> now_{kStart};
  runtime::WorkerPool workers_{runtime::Config{.workers = 2}};
};

TEST_F(NodeCredentialsTest, GivesWhatIsFixed) {
  struct Case {
    std::string name;
    CredentialSource source;
    std::string expected;
  };
  config.access_key = "AK";
  config.secret_key = "SK";
  variables = {
      {"AWS_ACCESS_KEY_ID", "EAK"}, {"AWS_SECRET_ACCESS_KEY", "ESK"}, {"AWS_SESSION_TOKEN", "ET"}};
  const std::vector<Case> cases{{"none", CredentialSource::none, "none"},
                                {"static", CredentialSource::fixed, "AK/SK/"},
                                {"environment", CredentialSource::environment, "EAK/ESK/ET"}};
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    config.source = c.source;
    const auto credentials = create();
    ASSERT_TRUE(credentials);
    poll(*credentials.value());
    EXPECT_EQ(now_valid(*credentials.value()), c.expected);
  }
}

TEST_F(NodeCredentialsTest, RefusesToStartWithoutWhatItsSourceNeeds) {
  struct Case {
    std::string name;
    CredentialSource source;
    std::map<std::string, std::string> variables;
    std::string sts_endpoint;
  };
  using enum CredentialSource;
  const std::map<std::string, std::string> role{{"AWS_ROLE_ARN", "arn"},
                                                {"AWS_WEB_IDENTITY_TOKEN_FILE", "/token"}};
  const std::vector<Case> cases{
      {"static without keys", fixed, {}, ""},
      {"environment without keys", environment, {{"AWS_ACCESS_KEY_ID", "AK"}}, ""},
      {"no file", file, {}, ""},
      {"no role", web_identity, {{"AWS_WEB_IDENTITY_TOKEN_FILE", "/token"}}, ""},
      {"no token file", web_identity, {{"AWS_ROLE_ARN", "arn"}}, ""},
      {"token service in the clear", web_identity, role, "http://sts.example"},
      {"no endpoint", container, {}, ""},
      {"no URL", container, {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "localhost/x"}}, ""},
      {"anybody's endpoint in the clear",
       container,
       {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://192.0.2.1/x"}},
       ""},
      {"a host that begins like loopback's",
       container,
       {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://localhost@192.0.2.1/x"}},
       ""},
      {"a relative URI that is none",
       container,
       {{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", ".example/x"}},
       ""},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    config.source = c.source;
    config.sts_endpoint = c.sts_endpoint;
    variables = c.variables;
    const auto credentials = create();
    ASSERT_FALSE(credentials);
    EXPECT_EQ(credentials.error(), Errc::invalid_config);
  }
}

TEST(TrustedWithoutTls, IsThisMachineAlone) {
  for (const char* host : {"localhost", "127.0.0.1", "127.9.9.9", "::1", "169.254.170.2",
                           "169.254.170.23", "fd00:ec2::23"})
    EXPECT_TRUE(is_trusted_without_tls(host)) << host;
  for (const char* host : {"192.0.2.1", "169.254.170.3", "localhost.example", "127.example.com",
                           "fd00:ec2::24", "example", ""})
    EXPECT_FALSE(is_trusted_without_tls(host)) << host;
}

TEST_F(NodeCredentialsTest, ReadsAFileAgainWhenItChanges) {
  const auto profile = [](const std::string& key) {
    return "[p]\naws_access_key_id = " + key + "\naws_secret_access_key = SK\n";
  };
  config.source = CredentialSource::file;
  config.profile = "p";
  config.file = write("keys", profile("one"));
  const auto credentials = create();
  ASSERT_TRUE(credentials);
  EXPECT_EQ(now_valid(*credentials.value()), "one/SK/");
  write("keys", profile("another"));
  poll(*credentials.value());
  EXPECT_EQ(now_valid(*credentials.value()), "another/SK/");
  write("keys", "[q]\n");
  poll(*credentials.value());
  EXPECT_EQ(now_valid(*credentials.value()), "another/SK/") << "an invalid file changes nothing";
}

TEST_F(NodeCredentialsTest, RefusesAFileThatOthersMayRead) {
  config.source = CredentialSource::file;
  config.file =
      write("keys", "[default]\naws_access_key_id = A\naws_secret_access_key = S\n", 0644);
  EXPECT_FALSE(create());
}

TEST_F(NodeCredentialsTest, AsksTheInstance) {
  const std::string roles = "/latest/meta-data/iam/security-credentials/";
  Service service;
  service.answer("PUT /latest/api/token", http_answer(200, "a-token"));
  service.answer("GET " + roles, http_answer(200, "my-role\n"));
  service.answer("GET " + roles + "my-role",
                 http_answer(200, json_pair("AK", "2030-01-01T06:00:00Z")));
  config.source = CredentialSource::instance_metadata;
  config.metadata_endpoint = service.endpoint();
  const auto credentials = create();
  ASSERT_TRUE(credentials);
  EXPECT_EQ(now_valid(*credentials.value()), "none");
  poll(*credentials.value());
  EXPECT_EQ(now_valid(*credentials.value()), "AK/SK/T");
  const auto requests = service.requests();
  ASSERT_EQ(requests.size(), 3U);
  EXPECT_THAT(requests[0], HasSubstr("\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n"));
  EXPECT_THAT(requests[1], HasSubstr("\r\nX-aws-ec2-metadata-token: a-token\r\n"));
  EXPECT_THAT(requests[2], HasSubstr("\r\nX-aws-ec2-metadata-token: a-token\r\n"));
}

TEST_F(NodeCredentialsTest, TakesNoRoleForOneThatIsNoName) {
  for (const std::string& role : {"", "../../user-data", "a b", "r?x"}) {
    SCOPED_TRACE(role);
    Service service;
    service.answer("PUT /latest/api/token", http_answer(200, "a-token"));
    service.answer("GET /latest/meta-data/iam/security-credentials/", http_answer(200, role));
    config.source = CredentialSource::instance_metadata;
    config.metadata_endpoint = service.endpoint();
    const auto credentials = create();
    ASSERT_TRUE(credentials);
    poll(*credentials.value());
    EXPECT_EQ(now_valid(*credentials.value()), "none");
    EXPECT_EQ(service.requests().size(), 2U);
  }
}

TEST_F(NodeCredentialsTest, AsksTheTokenServiceWithTheTokenOfTheMoment) {
  Service service;
  service.answer("POST /", http_answer(200, sts_pair("AK", "2030-01-01T01:00:00Z")));
  config.source = CredentialSource::web_identity;
  config.sts_endpoint = service.endpoint();
  config.role_arn = "arn:aws:iam::1:role/r";
  config.token_file = write("token", "a.b.c\n");
  const auto credentials = create();
  ASSERT_TRUE(credentials);
  poll(*credentials.value());
  EXPECT_EQ(now_valid(*credentials.value()), "AK/SK/T");
  write("token", "d+e");
  set_clock(kStart + 56min);
  service.answer("POST /", http_answer(200, sts_pair("NEW", "2030-01-01T02:00:00Z")));
  poll(*credentials.value());
  EXPECT_EQ(now_valid(*credentials.value()), "NEW/SK/T");
  const auto requests = service.requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_THAT(requests[0], HasSubstr("Action=AssumeRoleWithWebIdentity&Version=2011-06-15&"
                                     "RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&"
                                     "RoleSessionName=forebay&WebIdentityToken=a.b.c"));
  EXPECT_THAT(requests[1], testing::EndsWith("WebIdentityToken=d%2Be"));
  EXPECT_EQ(service.connections(), 2U) << "no connection is kept for an hour";
}

TEST_F(NodeCredentialsTest, TakesATokenFromAFileWhoseModeItsIssuerChose) {
  Service service;
  service.answer("POST /", http_answer(200, sts_pair("AK", "2030-01-01T01:00:00Z")));
  config.source = CredentialSource::web_identity;
  config.sts_endpoint = service.endpoint();
  config.role_arn = "arn:aws:iam::1:role/r";
  config.token_file = write("token", "a.b.c\n", 0644);
  const auto credentials = create();
  ASSERT_TRUE(credentials);
  poll(*credentials.value());
  EXPECT_NE(now_valid(*credentials.value()), "none");
}

TEST_F(NodeCredentialsTest, AsksTheContainersEndpointWithItsToken) {
  Service service;
  service.answer("GET /v1/credentials", http_answer(200, json_pair("AK", "2030-01-01T01:00:00Z")));
  use_container(service);
  variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "of the environment";
  variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = write("token", "of-the-file\n");
  const auto credentials = create();
  ASSERT_TRUE(credentials);
  poll(*credentials.value());
  EXPECT_EQ(now_valid(*credentials.value()), "AK/SK/T");
  EXPECT_THAT(service.requests().at(0), HasSubstr("\r\nAuthorization: of-the-file\r\n"));
}

TEST_F(NodeCredentialsTest, SendsNoTokenThatWouldBreakOutOfItsField) {
  Service service;
  use_container(service);
  variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "t\r\nHost: elsewhere";
  const auto credentials = create();
  ASSERT_TRUE(credentials);
  poll(*credentials.value());
  EXPECT_EQ(now_valid(*credentials.value()), "none");
  EXPECT_TRUE(service.requests().empty());
}

TEST_F(NodeCredentialsTest, RenewsThemBeforeTheyExpire) {
  Service service;
  service.answer("GET /v1/credentials", http_answer(200, json_pair("A", "2030-01-01T01:00:00Z")));
  use_container(service);
  const double before = refreshes("ok");
  const auto credentials = create();
  ASSERT_TRUE(credentials);
  poll(*credentials.value());
  EXPECT_EQ(expiry_metric(), (kStart + 1h).time_since_epoch().count());
  const auto old = credentials.value()->current();
  service.answer("GET /v1/credentials", http_answer(200, json_pair("B", "2030-01-01T02:00:00Z")));
  set_clock(kStart + 55min - 1s);
  poll(*credentials.value());
  EXPECT_EQ(now_valid(*credentials.value()), "A/SK/T");
  set_clock(kStart + 55min);
  poll(*credentials.value());
  EXPECT_EQ(now_valid(*credentials.value()), "B/SK/T");
  EXPECT_EQ(old->access_key, "A") << "who signs with the old ones keeps them";
  EXPECT_EQ(refreshes("ok"), before + 2);
  EXPECT_EQ(service.requests().size(), 2U);
}

TEST_F(NodeCredentialsTest, KeepsTheOldOnesUntilTheyExpireAndAsksEverLessOften) {
  Service service;
  service.answer("GET /v1/credentials", http_answer(200, json_pair("A", "2030-01-01T01:00:00Z")));
  use_container(service);
  const auto credentials = create();
  ASSERT_TRUE(credentials);
  poll(*credentials.value());
  service.answer("GET /v1/credentials", http_answer(500, "oops"));
  const double failed = refreshes("failed");
  // With no jitter the waits are 1, 1, 2, 4, 8, 16, 30, 30, ... seconds.
  for (std::chrono::seconds second = 55min; second < 56min; ++second) {
    set_clock(kStart + second);
    poll(*credentials.value());
    EXPECT_EQ(now_valid(*credentials.value()), "A/SK/T");
  }
  EXPECT_EQ(refreshes("failed"), failed + 7);
  set_clock(kStart + 1h);
  EXPECT_EQ(now_valid(*credentials.value()), "none");
  poll(*credentials.value());
  EXPECT_EQ(expiry_metric(), 0);
  service.answer("GET /v1/credentials", http_answer(200, json_pair("B", "2030-01-01T03:00:00Z")));
  set_clock(kStart + 61min);
  poll(*credentials.value());
  EXPECT_EQ(now_valid(*credentials.value()), "B/SK/T");
}

TEST_F(NodeCredentialsTest, TakesNothingFromAnAnswerThatIsNone) {
  struct Case {
    std::string name;
    std::string bytes;
  };
  const std::vector<Case> cases{
      {"closed", ""},
      {"garbage", "garbage\r\n\r\n"},
      {"not found", http_answer(404, json_pair("A", "2030-01-01T01:00:00Z"))},
      {"redirect", "HTTP/1.1 302 X\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n"},
      {"no JSON", http_answer(200, "<html>")},
      {"expired", http_answer(200, json_pair("A", "2030-01-01T00:00:00Z"))},
      {"a key that ends the field",
       http_answer(200, json_pair("A\\r\\nB", "2031-01-01T00:00:00Z"))},
      {"cut off", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"},
      {"huge", http_answer(200, std::string(1 << 20, ' '))},
      {"100 without end",
       [] {
         std::string many;
         for (int i = 0; i < 100; ++i)
           many += "HTTP/1.1 100 Continue\r\n\r\n";
         return many;
       }()},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    Service service;
    service.close_early();
    service.answer("GET /v1/credentials", c.bytes);
    use_container(service);
    const double failed = refreshes("failed");
    const auto credentials = create();
    ASSERT_TRUE(credentials);
    poll(*credentials.value());
    EXPECT_EQ(now_valid(*credentials.value()), "none");
    EXPECT_EQ(refreshes("failed"), failed + 1);
  }
}

TEST_F(NodeCredentialsTest, WaitsForASilentServiceOnlySoLongAndAsksOnlyOnce) {
  Service service;
  service.hold(true);
  use_container(service);
  const double failed = refreshes("failed");
  const auto credentials = create();
  ASSERT_TRUE(credentials);
  credentials.value()->poll(workers());
  set_clock(kStart + 1h);
  poll(*credentials.value());
  EXPECT_EQ(service.requests().size(), 1U);
  EXPECT_EQ(refreshes("failed"), failed + 1);
  service.hold(false);
  service.answer("GET /v1/credentials", http_answer(200, json_pair("A", "2031-01-01T00:00:00Z")));
  set_clock(kStart + 2h);
  poll(*credentials.value());
  EXPECT_EQ(now_valid(*credentials.value()), "A/SK/T");
}

TEST_F(NodeCredentialsTest, AsksAgainWhenTheClockWasPutBack) {
  Service service;
  service.answer("GET /v1/credentials", http_answer(500, ""));
  use_container(service);
  set_clock(kStart + 10h);
  const auto credentials = create();
  ASSERT_TRUE(credentials);
  poll(*credentials.value());
  set_clock(kStart);
  service.answer("GET /v1/credentials", http_answer(200, json_pair("A", "2030-01-01T01:00:00Z")));
  poll(*credentials.value());
  EXPECT_EQ(now_valid(*credentials.value()), "A/SK/T");
}

}  // namespace
}  // namespace forebay::origin
