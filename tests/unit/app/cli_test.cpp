#include <forebay/app/cli.hpp>
#include <forebay/config/load.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace forebay::app {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

struct Outcome {
  int code = -1;
  std::string out;
  std::string err;
};

Outcome forebay(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "forebay");
  std::ostringstream out;
  std::ostringstream err;
  Outcome outcome;
  outcome.code = run(static_cast<int>(arguments.size()), arguments.data(), out, err);
  outcome.out = out.str();
  outcome.err = err.str();
  return outcome;
}

class CliTest : public testing::Test {
 protected:
  CliTest() {
    // Whoever runs the tests may have settings of their own.
    for (const auto& [name, value] : config::process_environment())
      unsetenv(name.c_str());
    std::string name = (fs::temp_directory_path() / "forebay-cli-XXXXXX").string();
    directory_ = mkdtemp(name.data());
  }
  ~CliTest() override { fs::remove_all(directory_); }

  std::string write(const std::string& name, const std::string& text, fs::perms perms) const {
    const fs::path path = directory_ / name;
    std::ofstream{path} << text;
    fs::permissions(path, perms);
    return path.string();
  }
  std::string write_config(const std::string& text) const {
    return write("forebay.yaml", text, fs::perms::owner_read);
  }
  void write_credentials() const {
    write("credentials.yaml", "credentials: [{access_key: A, secret_key: B}]\n",
          fs::perms::owner_read);
  }

  fs::path directory_;
};

TEST_F(CliTest, RefusesWrongUseWithALineThatHelps) {
  const std::vector<const char*> kCases[] = {
      {},
      {"sevre"},
      {"serve", "--confg", "x"},
      {"serve", "--config"},
      {"purge"},
      {"purge", "s3://b", "--admin", "h:1", "--config", "f"},
      {"docs"},
  };
  for (const auto& arguments : kCases) {
    SCOPED_TRACE(arguments.empty() ? "nothing" : arguments.back());
    const Outcome outcome = forebay(arguments);
    EXPECT_EQ(outcome.code, 2);
    EXPECT_THAT(outcome.out, IsEmpty());
    EXPECT_THAT(outcome.err, StartsWith("forebay: "));
    EXPECT_THAT(outcome.err, HasSubstr("Try: forebay --help\n"));
  }
}

TEST_F(CliTest, ExplainsItself) {
  const Outcome outcome = forebay({"--help"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("serve"));
  EXPECT_THAT(outcome.out, HasSubstr("purge"));
  EXPECT_THAT(outcome.out, HasSubstr("version"));
  EXPECT_THAT(outcome.out, testing::Not(HasSubstr("docs")));
}

TEST_F(CliTest, NamesItsBuild) {
  const Outcome outcome = forebay({"version"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, StartsWith("forebay 0."));
  for (const char* part : {"\ncompiler: ", "\nBoost: 1.", "\nOpenSSL: OpenSSL 3", "\nliburing: 2"})
    EXPECT_THAT(outcome.out, HasSubstr(part));
}

TEST_F(CliTest, ServeNeedsAFile) {
  const Outcome outcome = forebay({"serve"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("--config FILE"));
}

TEST_F(CliTest, PrintsDefaultsOrTheValuesOfAFile) {
  const Outcome defaults = forebay({"serve", "--print-config"});
  EXPECT_EQ(defaults.code, 0);
  EXPECT_THAT(defaults.out, HasSubstr("\n  s3: 127.0.0.1:9000\n"));
  const std::string file =
      write_config("listen: {s3: \"10.0.0.1:80\"}\nauth: {credentials_file: credentials.yaml}\n");
  const Outcome values = forebay({"serve", "--config", file.c_str(), "--print-config"});
  EXPECT_EQ(values.code, 0);
  EXPECT_THAT(values.out, HasSubstr("\n  s3: 10.0.0.1:80\n"));
}

TEST_F(CliTest, PrintsTheReferencePage) {
  const Outcome outcome = forebay({"docs", "configuration"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, StartsWith("# Configuration\n"));
}

TEST_F(CliTest, ChecksAGoodConfiguration) {
  write_credentials();
  const std::string file = write_config(
      "auth: {credentials_file: credentials.yaml}\nmemory: {pool_size: 32MiB}\n"
      "listen: {max_connections: 10}\n");
  const Outcome outcome = forebay({"serve", "--config", file.c_str(), "--check-config"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, IsEmpty());
  EXPECT_THAT(outcome.out, HasSubstr("  pool                    32.0 MiB  memory.pool_size\n"));
  EXPECT_THAT(outcome.out, HasSubstr("  sum "));
  EXPECT_THAT(outcome.out, testing::EndsWith("\nOK\n"));
}

TEST_F(CliTest, NamesAllThatIsWrongWithAConfiguration) {
  const std::string file = write_config("log: {level: loud}\nmemory: {pool_size: 1}\n");
  const Outcome outcome = forebay({"serve", "--config", file.c_str(), "--check-config"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.out, IsEmpty());
  EXPECT_THAT(outcome.err, HasSubstr(file + ":1:14: log.level: \"loud\""));
  EXPECT_THAT(outcome.err, HasSubstr(file + ":2:21: memory.pool_size: \"1\""));
  EXPECT_THAT(outcome.err, HasSubstr(file + ":1:1: auth.credentials_file: missing"));
}

TEST_F(CliTest, RefusesCredentialsThatOthersCanRead) {
  write("credentials.yaml", "credentials: []\n",
        fs::perms::owner_read | fs::perms::group_read | fs::perms::others_read);
  const std::string file =
      write_config("auth: {credentials_file: credentials.yaml}\nmemory: {pool_size: 32MiB}\n");
  const Outcome outcome = forebay({"serve", "--config", file.c_str(), "--check-config"});
  EXPECT_EQ(outcome.code, 2);
}

TEST_F(CliTest, PurgeNeedsAnS3Address) {
  const Outcome outcome = forebay({"purge", "bucket/prefix"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("\"bucket/prefix\" is not s3://bucket or s3://bucket/prefix"));
}

TEST_F(CliTest, RefusesATokenThatOthersCanRead) {
  write_credentials();
  write("token", "a-token-of-some-length\n", fs::perms::owner_read | fs::perms::others_read);
  const std::string file = write_config(
      "auth: {credentials_file: credentials.yaml}\nmemory: {pool_size: 32MiB}\n"
      "listen: {max_connections: 10, admin_token_file: token}\n");
  EXPECT_EQ(forebay({"serve", "--config", file.c_str(), "--check-config"}).code, 2);
  EXPECT_EQ(forebay({"purge", "s3://b", "--config", file.c_str()}).code, 2);
  const std::string token = (directory_ / "token").string();
  EXPECT_EQ(forebay({"purge", "s3://b", "--admin", "h:1", "--token-file", token.c_str()}).code, 2);
}

TEST_F(CliTest, PurgeSaysWhichNodeFailed) {
  const Outcome outcome = forebay({"purge", "s3://bucket", "--admin", "nowhere"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.err, "forebay purge: nowhere: is not host:port\n");
}

}  // namespace
}  // namespace forebay::app
