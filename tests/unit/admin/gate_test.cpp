#include "admin/gate.hpp"

#include "unit/net/net_fixture.hpp"

#include <forebay/admin/server.hpp>
#include <forebay/base/errc.hpp>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace forebay::admin {
namespace {

namespace fs = std::filesystem;
using net::testing::RawClient;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kToken = "0123456789abcdefTOKEN";

class TokenTest : public net::testing::NetTest {
 protected:
  TokenTest() {
    std::string pattern = testing::TempDir() + "forebay-token-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~TokenTest() override { fs::remove_all(folder_); }

  std::string write(const std::string& text, mode_t mode = 0600) const {
    const fs::path path = folder_ / "token";
    fs::remove(path);
    std::ofstream{path} << text;
    EXPECT_EQ(::chmod(path.c_str(), mode), 0);
    return path;
  }

  fs::path folder_;
};

/// What the gate says to a POST with these fields: 0 for nothing.
int judge(const Gate& gate, const http::Headers& fields) {
  http::RequestHead head;
  head.method = "POST";
  head.target = "/purge?bucket=b";
  head.headers = fields;
  const auto refusal = gate.refusal(head);
  return refusal ? refusal->status : 0;
}

http::Headers fields(std::initializer_list<http::Headers::Field> list) {
  http::Headers headers;
  for (const auto& field : list)
    headers.add(field.name, field.value);
  return headers;
}

TEST(Gate, KnowsItsOwnHosts) {
  struct Case {
    const char* host;
    int status;
  };
  const std::vector<Case> cases{
      {"127.0.0.1:9001", 0},
      {"127.0.0.1", 0},
      {"10.1.2.3:9001", 0},
      {"[::1]:9001", 0},
      {"[fd00::7]", 0},
      {"localhost:9001", 0},
      {"LocalHost", 0},
      {"ops.example:9001", 0},
      {"OPS.example", 0},
      {"evil.example:9001", 403},
      {"evil.example", 403},
      {"localhost.evil.example", 403},
      {"127.0.0.1.nip.io", 403},
      {"localhost.", 403},
      {"127.1", 403},
      {"2130706433", 403},
      {"0x7f000001", 403},
      {"ops.example.evil", 403},
      {"127.0.0.1%2eevil.example", 403},
  };
  Gate gate{"ops.example:9001", nullptr};
  gate.trust_loopback();
  for (const Case& c : cases) {
    SCOPED_TRACE(c.host);
    EXPECT_EQ(judge(gate, fields({{"Host", c.host}})), c.status);
  }
}

TEST(Gate, RefusesPagesOfOtherSites) {
  struct Case {
    const char* host;
    std::vector<const char*> origins;
    int status;
  };
  const std::vector<Case> cases{
      {"127.0.0.1:9001", {"http://127.0.0.1:9001"}, 0},
      {"localhost:9001", {"HTTP://LOCALHOST:9001"}, 0},
      {"localhost:9001", {"https://localhost:9001"}, 0},
      {"127.0.0.1:9001", {"http://127.0.0.1:8080"}, 403},
      {"127.0.0.1:9001", {"http://127.0.0.1"}, 403},
      {"127.0.0.1:9001", {"http://localhost:9001"}, 403},
      {"127.0.0.1:9001", {"http://evil.example"}, 403},
      {"127.0.0.1:9001", {"http://127.0.0.1:9001.evil.example"}, 403},
      {"127.0.0.1:9001", {"http://127.0.0.1:9001/"}, 403},
      {"127.0.0.1:9001", {"null"}, 403},
      {"127.0.0.1:9001", {""}, 403},
      {"127.0.0.1:9001", {"file://"}, 403},
      {"127.0.0.1:9001", {"127.0.0.1:9001"}, 403},
      {"127.0.0.1:9001", {"http://127.0.0.1:9001", "http://evil.example"}, 403},
  };
  Gate gate{"127.0.0.1:9001", nullptr};
  gate.trust_loopback();
  for (const Case& c : cases) {
    SCOPED_TRACE(c.origins.front());
    http::Headers headers = fields({{"Host", c.host}});
    for (const char* origin : c.origins)
      headers.add("origin", origin);
    EXPECT_EQ(judge(gate, headers), c.status);
  }
}

TEST(Gate, BeyondLoopbackWithoutATokenNobodyPasses) {
  const Gate gate{"0.0.0.0:9001", nullptr};
  EXPECT_EQ(judge(gate, fields({{"Host", "127.0.0.1:9001"}})), 403);
  EXPECT_EQ(judge(gate, fields({{"Host", "127.0.0.1"}, {"Authorization", "Bearer x"}})), 403);
}

TEST_F(TokenTest, TheTokenIsNeededOnLoopbackToo) {
  struct Case {
    const char* name;
    std::vector<std::string> authorization;
    int status;
  };
  const std::string token = kToken;
  const std::vector<Case> cases{
      {"right", {"Bearer " + token}, 0},
      {"scheme in another case", {"bearer " + token}, 0},
      {"none", {}, 401},
      {"empty", {"Bearer "}, 401},
      {"wrong", {"Bearer 0123456789abcdefTOKEm"}, 401},
      {"begins right", {"Bearer " + token.substr(0, 20)}, 401},
      {"longer", {"Bearer " + token + "x"}, 401},
      {"another scheme", {"Basic " + token}, 401},
      {"bare", {token}, 401},
      {"twice", {"Bearer " + token, "Bearer " + token}, 401},
      {"wrong, then right", {"Bearer x", "Bearer " + token}, 401},
  };
  Gate gate{"127.0.0.1:9001", TokenFile::open(write(token + "\n")).value()};
  gate.trust_loopback();
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    http::Headers headers = fields({{"Host", "127.0.0.1:9001"}});
    for (const std::string& value : c.authorization)
      headers.add("Authorization", value);
    EXPECT_EQ(judge(gate, headers), c.status);
  }
  EXPECT_EQ(judge(gate, fields({{"Host", "evil.example"}, {"Authorization", "Bearer " + token}})),
            403);
}

TEST_F(TokenTest, ReadsOneLineFromAFileThatOthersCannotRead) {
  struct Case {
    std::string text;
    mode_t mode;
    bool good;
  };
  const std::string token = kToken;
  const std::vector<Case> cases{
      {token, 0600, true},
      {token + "\n", 0640, true},
      {token + "\r\n", 0400, true},
      {token, 0644, false},
      {token, 0660, false},
      {"", 0600, false},
      {"\n", 0600, false},
      {"0123456789abcde", 0600, false},
      {token + " x", 0600, false},
      {token + "\n" + token, 0600, false},
      {token + "\xc3\xbc", 0600, false},
      {std::string(5'000, 'x'), 0600, false},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(testing::Message() << c.text.substr(0, 30) << " " << std::oct << c.mode);
    const auto read = read_token(write(c.text, c.mode));
    ASSERT_EQ(read.has_value(), c.good);
    if (c.good)
      EXPECT_EQ(read.value(), token);
    else
      EXPECT_EQ(read.error(), Errc::invalid_config);
  }
  EXPECT_FALSE(read_token(folder_ / "missing"));
}

TEST_F(TokenTest, FollowsTheFile) {
  const auto file = TokenFile::open(write(kToken)).value();
  file->poll();
  EXPECT_TRUE(file->matches(kToken));
  write("another-token-of-some-length");
  file->poll();
  EXPECT_FALSE(file->matches(kToken));
  EXPECT_TRUE(file->matches("another-token-of-some-length"));
  write("short");
  file->poll();
  EXPECT_TRUE(file->matches("another-token-of-some-length"))
      << "what cannot be used changes nothing";
}

class GatedServerTest : public TokenTest {
 protected:
  static Task<Result<PurgeOutcome>> count_purge(int* purges) {
    ++*purges;
    co_return PurgeOutcome{.purged = 1};
  }

  std::unique_ptr<AdminServer> start(const AdminConfig& config) {
    AdminHooks hooks;
    hooks.purge = [this](const std::string&, const std::string&) { return count_purge(&purges_); };
    auto server = AdminServer::start(pool(), config, std::move(hooks));
    pool().run_on_each([](runtime::Worker&) {});
    return server ? std::move(server).value() : nullptr;
  }
  static std::string ask(const AdminServer& server, const std::string& line,
                         const std::string& fields) {
    RawClient client{server.port()};
    client.send(line + " HTTP/1.1\r\nConnection: close\r\n" + fields + "\r\n");
    return client.receive_all();
  }

  int purges_ = 0;
};

TEST_F(GatedServerTest, ReadingStaysOpenToProbesWhereverTheyComeFrom) {
  const auto server = start({.address = "0.0.0.0:0", .token_file = write(kToken)});
  for (const char* path : {"/healthz", "/readyz", "/metrics"}) {
    for (const char* host : {"10.2.3.4:9001", "forebay.monitoring.svc:9001"}) {
      SCOPED_TRACE(path);
      EXPECT_THAT(ask(*server, std::string{"GET "} + path, "Host: " + std::string{host} + "\r\n"),
                  StartsWith("HTTP/1.1 200 "));
    }
  }
}

TEST_F(GatedServerTest, ChangesNeedWhatTheAddressAsksFor) {
  const std::string purge = "POST /purge?bucket=b";
  const std::string host = "Host: 127.0.0.1\r\n";
  const auto open = start({.address = "0.0.0.0:0"});
  const std::string refused = ask(*open, purge, host);
  EXPECT_THAT(refused, StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(refused, HasSubstr("{\"error\":\"refused: listen.admin is not bound to loopback"));
  EXPECT_EQ(purges_, 0);

  const auto gated = start({.address = "0.0.0.0:0", .token_file = write(kToken)});
  const std::string unauthorized = ask(*gated, purge, host);
  EXPECT_THAT(unauthorized, StartsWith("HTTP/1.1 401 "));
  EXPECT_THAT(unauthorized, HasSubstr("\r\nWWW-Authenticate: Bearer\r\n"));
  EXPECT_EQ(purges_, 0);
  EXPECT_THAT(ask(*gated, purge, host + "Authorization: Bearer " + kToken + "\r\n"),
              StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(purges_, 1);

  const auto local = start({.address = "localhost:0"});
  EXPECT_THAT(ask(*local, purge, host), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(ask(*local, purge, host + "Origin: http://evil.example\r\n"),
              StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(ask(*local, purge, "Host: evil.example\r\n"), StartsWith("HTTP/1.1 403 "));
  EXPECT_EQ(purges_, 2);
}

TEST_F(GatedServerTest, ATokenFileThatCannotBeUsedStopsTheStart) {
  EXPECT_EQ(start({.address = "127.0.0.1:0", .token_file = write(kToken, 0644)}), nullptr);
}

}  // namespace
}  // namespace forebay::admin
