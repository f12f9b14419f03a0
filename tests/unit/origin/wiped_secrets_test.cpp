#include "origin/credential_documents.hpp"
#include "support/freed_memory.hpp"

#include <forebay/origin/caller.hpp>
#include <forebay/origin/node_credentials.hpp>
#include <forebay/s3/sigv4.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace forebay::origin {
namespace {

using testing::FreedMemory;

// Longer than what a std::string keeps in itself, so that it lies in blocks that are given back.
const std::string kHush = "HUSHwJalrXUtnFEMI/K7MDENG/bPxRfiCY";

TEST(FreedMemoryItself, SeesATextThatWasNotErased) {
  const FreedMemory freed{kHush};
  {
    const std::string copy = kHush;
  }
  EXPECT_EQ(freed.leaks(), 1U);
  {
    const Secret copy{kHush};
  }
  EXPECT_EQ(freed.leaks(), 1U);
}

TEST(WipedSecrets, OfWhatIsIssued) {
  const std::string json = R"({"AccessKeyId":"AK","Expiration":"2030-01-01T01:00:00Z","Token":")" +
                           kHush + R"(","SecretAccessKey":")" + kHush + "\"}";
  const std::string xml =
      "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>"
      "<AccessKeyId>AK</AccessKeyId><SecretAccessKey>" +
      kHush + "</SecretAccessKey><SessionToken>" + kHush +
      "</SessionToken><Expiration>2030-01-01T01:00:00Z</Expiration>"
      "</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>";
  const std::string broken = json + "}";
  const FreedMemory freed{kHush};
  {
    const auto issued = parse_json_answer(json);
    ASSERT_TRUE(issued);
    EXPECT_EQ(issued.value().credential.secret_key, kHush);
  }
  EXPECT_EQ(freed.leaks(), 0U) << "JSON";
  {
    const auto issued = parse_sts_answer(xml);
    ASSERT_TRUE(issued);
    EXPECT_EQ(issued.value().credential.session_token, kHush);
  }
  EXPECT_EQ(freed.leaks(), 0U) << "XML";
  EXPECT_FALSE(parse_json_answer(broken));
  EXPECT_EQ(freed.leaks(), 0U) << "JSON that is none";
}

TEST(WipedSecrets, OfAFileAndItsReplacement) {
  std::string folder = ::testing::TempDir() + "forebay-wiped-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const std::string file = folder + "/credentials";
  std::ofstream{file} << "[default]\naws_access_key_id = AK\naws_secret_access_key = " << kHush
                      << "\naws_session_token = " << kHush << "\n";
  ASSERT_EQ(::chmod(file.c_str(), 0600), 0);
  const FreedMemory freed{kHush};
  {
    NodeCredentialsConfig config;
    config.source = CredentialSource::file;
    config.file = file;
    const auto credentials = NodeCredentials::create(config);
    ASSERT_TRUE(credentials);
    const CallerPtr caller = node_caller(*credentials.value()->current());
    EXPECT_EQ(caller->key->origin_secret_key, kHush);
  }
  EXPECT_EQ(freed.leaks(), 0U);
  std::filesystem::remove_all(folder);
}

TEST(WipedSecrets, OfSigning) {
  const s3::Credential credential{"AK", kHush, {}};
  const auto now = std::chrono::sys_seconds{std::chrono::days{20'000}};
  const FreedMemory freed{kHush};
  http::RequestHead request{.method = "GET", .target = "/b/k", .headers = {}};
  request.headers.add("Host", "h");
  s3::sign(request, credential, "us-east-1", s3::kEmptyPayload, now);
  EXPECT_EQ(freed.leaks(), 0U);
}

}  // namespace
}  // namespace forebay::origin
