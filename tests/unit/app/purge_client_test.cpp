#include "app/purge_client.hpp"

#include <forebay/admin/server.hpp>
#include <forebay/base/errc.hpp>
#include <forebay/runtime/worker.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace forebay::app {
namespace {

Task<Result<admin::PurgeOutcome>> record_purge(std::string* asked, std::string bucket,
                                               std::string prefix) {
  *asked = bucket + "|" + prefix;
  if (bucket == "broken")
    co_return Errc::device_failed;
  admin::PurgeOutcome outcome{.purged = 42};
  if (bucket == "hung")
    outcome.unreached = {{"a", 3}, {"b", 1}};
  co_return std::move(outcome);
}

/// A node's admin port, and what was asked of it.
class PurgeClientTest : public testing::Test {
 protected:
  PurgeClientTest() {
    admin::AdminHooks hooks;
    hooks.purge = [this](std::string bucket, std::string prefix) {
      return record_purge(&asked_, std::move(bucket), std::move(prefix));
    };
    server_ =
        admin::AdminServer::start(workers_, {.address = "127.0.0.1:0"}, std::move(hooks)).value();
  }
  ~PurgeClientTest() override {
    server_->stop();
    workers_.drain(Deadline::never());
  }

  std::string address() const { return "127.0.0.1:" + std::to_string(server_->port()); }

  runtime::WorkerPool workers_{runtime::Config{.workers = 1}};
  std::string asked_;
  std::unique_ptr<admin::AdminServer> server_;
};

TEST_F(PurgeClientTest, AsksForBucketAndPrefixAndReadsTheCount) {
  const PurgeAnswer answer = purge(address(), {.bucket = "data", .prefix = "a b/ü&c=d+%2F"});
  EXPECT_TRUE(answer.done) << answer.message;
  EXPECT_EQ(answer.purged, 42U);
  EXPECT_EQ(asked_, "data|a b/ü&c=d+%2F");
}

TEST_F(PurgeClientTest, NamesTheDevicesThatWereNotReached) {
  const PurgeAnswer answer = purge(address(), {.bucket = "hung", .prefix = ""});
  EXPECT_TRUE(answer.done);
  EXPECT_EQ(answer.purged, 42U);
  EXPECT_NE(answer.message.find("a cannot be written now: 3 blocks"), std::string::npos);
  EXPECT_NE(answer.message.find("b cannot be written now: 1 blocks"), std::string::npos);
}

TEST_F(PurgeClientTest, AsksForAWholeBucket) {
  EXPECT_TRUE(purge(address(), {.bucket = "data", .prefix = ""}).done);
  EXPECT_EQ(asked_, "data|");
}

TEST_F(PurgeClientTest, SaysWhatTheNodeSaid) {
  const PurgeAnswer answer = purge(address(), {.bucket = "broken", .prefix = ""});
  EXPECT_FALSE(answer.done);
  EXPECT_TRUE(answer.message.starts_with("answered 5")) << answer.message;
}

TEST_F(PurgeClientTest, FailsWhereNobodyListens) {
  const std::string address_before = address();
  server_->stop();
  workers_.drain(Deadline::never());
  const PurgeAnswer answer = purge(address_before, {.bucket = "data", .prefix = ""});
  EXPECT_FALSE(answer.done);
  EXPECT_EQ(answer.message, "no node answers there");
}

TEST_F(PurgeClientTest, FindsTheNodeByName) {
  EXPECT_TRUE(
      purge("localhost:" + std::to_string(server_->port()), {.bucket = "data", .prefix = ""}).done);
}

TEST_F(PurgeClientTest, ShowsTheToken) {
  std::string folder = testing::TempDir() + "forebay-purge-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const std::string file = folder + "/token";
  std::ofstream{file} << "a-token-of-some-length\n";
  ASSERT_EQ(::chmod(file.c_str(), 0600), 0);
  admin::AdminHooks hooks;
  hooks.purge = [this](std::string bucket, std::string prefix) {
    return record_purge(&asked_, std::move(bucket), std::move(prefix));
  };
  const auto gated = admin::AdminServer::start(
                         workers_, {.address = "0.0.0.0:0", .token_file = file}, std::move(hooks))
                         .value();
  const std::string address = "127.0.0.1:" + std::to_string(gated->port());
  const PurgeTarget target{.bucket = "data", .prefix = ""};
  EXPECT_EQ(purge(address, target).message,
            "answered 401: this needs the token of listen.admin_token_file: Authorization: Bearer "
            "...");
  EXPECT_FALSE(purge(address, target, "another-token-of-length").done);
  EXPECT_TRUE(purge(address, target, "a-token-of-some-length").done);
  gated->stop();
  std::filesystem::remove_all(folder);
}

TEST(PurgeClient, RefusesWhatIsNoAddress) {
  EXPECT_EQ(purge("nowhere", {.bucket = "data", .prefix = ""}).message, "is not host:port");
}

TEST(PurgeTarget, IsBucketAndPrefix) {
  struct Case {
    const char* uri;
    const char* bucket;
    const char* prefix;
  };
  const Case kCases[] = {
      {"s3://b", "b", ""},          {"s3://b/", "b", ""},     {"s3://b/p", "b", "p"},
      {"s3://b/p/q/", "b", "p/q/"}, {"s3://b//p", "b", "/p"},
  };
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.uri);
    const auto target = parse_purge_target(test.uri);
    ASSERT_TRUE(target);
    EXPECT_EQ(target.value().bucket, test.bucket);
    EXPECT_EQ(target.value().prefix, test.prefix);
  }
  for (const char* uri : {"", "b/p", "s3://", "s3:///p", "http://b/p", "S3://b"}) {
    SCOPED_TRACE(uri);
    EXPECT_FALSE(parse_purge_target(uri));
  }
}

}  // namespace
}  // namespace forebay::app
