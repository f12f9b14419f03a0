#include "origin/credential_documents.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace forebay::origin {
namespace {

using std::chrono::sys_days;
using std::chrono::sys_seconds;
using namespace std::chrono_literals;

/// "access/secret/token", or the problem in brackets.
std::string shown(const Fetched<s3::Credential>& fetched) {
  if (!fetched)
    return "(" + fetched.error().text + ")";
  const s3::Credential& pair = fetched.value();
  return pair.access_key + "/" + pair.secret_key.str() + "/" + pair.session_token.str();
}

std::string shown(const Fetched<IssuedCredential>& fetched) {
  if (!fetched)
    return "(" + fetched.error().text + ")";
  return shown(Fetched<s3::Credential>{fetched.value().credential});
}

TEST(CredentialDocuments, ReadsAProfile) {
  struct Case {
    std::string name;
    std::string text;
    std::string profile;
    std::string expected;
  };
  const std::string pair = "aws_access_key_id = AK\naws_secret_access_key = SK\n";
  const std::vector<Case> cases{
      {"plain", "[default]\n" + pair, "default", "AK/SK/"},
      {"token", "[default]\n" + pair + "aws_session_token = a=b+/==\n", "default", "AK/SK/a=b+/=="},
      {"no blanks, CRLF, no end of line", "[p]\r\naws_access_key_id=AK\r\naws_secret_access_key=SK",
       "p", "AK/SK/"},
      {"upper case", "[p]\nAWS_ACCESS_KEY_ID = AK\nAws_Secret_Access_Key = SK\n", "p", "AK/SK/"},
      {"among others", "[a]\naws_access_key_id = X\n[p]\n" + pair + "[b]\naws_access_key_id = Y\n",
       "p", "AK/SK/"},
      {"in two parts, the last counts", "[p]\n" + pair + "[q]\n[p]\naws_access_key_id = NEW\n", "p",
       "NEW/SK/"},
      {"comments", "# x\n; y\n\n[p]\n#aws_access_key_id = X\n" + pair + " # z\n", "p", "AK/SK/"},
      {"a blank in the brackets", "[ p ]\n" + pair, "p", "AK/SK/"},
      {"nested settings are others'", "[p]\n" + pair + "s3 =\n  aws_access_key_id = X\n", "p",
       "AK/SK/"},
      {"another profile", "[default]\n" + pair, "p", "(no profile [p])"},
      {"before any section", pair, "default", "(no profile [default])"},
      {"empty", "", "default", "(no profile [default])"},
      {"no bracket at the end", "[p\n" + pair, "p", "(no profile [p])"},
      {"half a pair", "[p]\naws_access_key_id = AK\n", "p",
       "(access key or secret key is missing)"},
      {"empty value", "[p]\naws_access_key_id =\naws_secret_access_key = SK\n", "p",
       "(access key or secret key is missing)"},
      {"a blank inside", "[p]\naws_access_key_id = A K\naws_secret_access_key = SK\n", "p",
       "(a key or the session token holds a blank or a character beyond ASCII)"},
      {"too long", "[p]\n" + pair + "aws_access_key_id = " + std::string(300, 'A'), "p",
       "(a key or the session token is too long)"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(shown(parse_profile(c.text, c.profile)), c.expected);
  }
}

/// The answer of AWS's documentation, with these credentials.
std::string sts_answer(const std::string& credentials) {
  return "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"
         "<AssumeRoleWithWebIdentityResult><SubjectFromWebIdentityToken>s"
         "</SubjectFromWebIdentityToken><Credentials>" +
         credentials +
         "</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>";
}

TEST(CredentialDocuments, ReadsTheTokenServicesAnswer) {
  const std::string keys =
      "<AccessKeyId>AK</AccessKeyId><SecretAccessKey>S/K</SecretAccessKey>"
      "<SessionToken>T==</SessionToken>";
  const std::string when = "<Expiration>2014-10-24T23:00:23Z</Expiration>";
  struct Case {
    std::string name;
    std::string xml;
    std::string expected;
  };
  const std::vector<Case> cases{
      {"good", sts_answer(keys + when), "AK/S/K/T=="},
      {"declaration", "<?xml version=\"1.0\"?>\n" + sts_answer(when + keys), "AK/S/K/T=="},
      {"no end", sts_answer(keys), "(the answer has no usable Expiration)"},
      {"no keys", sts_answer(when), "(access key or secret key is missing)"},
      {"another answer", "<AssumeRoleResponse/>", "(the answer has no usable Expiration)"},
      {"not XML", "{}", "(the answer is not XML)"},
      {"cut off", sts_answer(keys + when).substr(0, 300), "(the answer is not XML)"},
      {"empty", "", "(the answer is not XML)"},
      {"too large", sts_answer(keys + when) + std::string(kCredentialDocumentSizeMax, ' '),
       "(the answer is not XML)"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(shown(parse_sts_answer(c.xml)), c.expected);
  }
  EXPECT_EQ(parse_sts_answer(cases[0].xml).value().expires, sys_days{2014y / 10 / 24} + 23h + 23s);
}

TEST(CredentialDocuments, ReadsTheTokenServicesErrorCode) {
  const auto error = [](const std::string& code) {
    return "<ErrorResponse><Error><Type>Sender</Type><Code>" + code +
           "</Code><Message>m</Message></Error></ErrorResponse>";
  };
  EXPECT_EQ(sts_error_code(error("AccessDenied")), "AccessDenied");
  EXPECT_EQ(sts_error_code(error("a\nb")), "");
  EXPECT_EQ(sts_error_code(error(std::string(65, 'a'))), "");
  EXPECT_EQ(sts_error_code("<html>"), "");
}

TEST(CredentialDocuments, ReadsJson) {
  const std::string good = R"("AccessKeyId": "AK", "SecretAccessKey": "SK", "Token": "T",)"
                           R"( "Expiration": "2030-01-01T00:00:00Z")";
  struct Case {
    std::string name;
    std::string json;
    std::string expected;
  };
  const std::vector<Case> cases{
      {"container", "{" + good + R"(, "RoleArn": "r"})", "AK/SK/T"},
      {"instance", R"({"Code": "Success", "Type": "AWS-HMAC", )" + good + "}", "AK/SK/T"},
      {"no success", R"({"Code": "Failed", )" + good + "}", "(the answer's Code is not Success)"},
      {"numbers", R"({"AccessKeyId": 1, "Expiration": "2030-01-01T00:00:00Z"})",
       "(access key or secret key is missing)"},
      {"no end", R"({"AccessKeyId": "AK", "SecretAccessKey": "SK"})",
       "(the answer has no usable Expiration)"},
      {"a list", "[]", "(the answer is not a JSON object)"},
      {"more behind it", "{" + good + "} {}", "(the answer is not a JSON object)"},
      {"not JSON", "AK", "(the answer is not a JSON object)"},
      {"empty", "", "(the answer is not a JSON object)"},
      {"deep", std::string(1'000, '['), "(the answer is not a JSON object)"},
      {"too large", "{" + good + "}" + std::string(kCredentialDocumentSizeMax, ' '),
       "(the answer is not a JSON object)"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(shown(parse_json_answer(c.json)), c.expected);
  }
}

TEST(CredentialDocuments, ReadsDates) {
  const sys_seconds day = sys_days{2024y / 2 / 29};
  struct Case {
    std::string text;
    std::optional<sys_seconds> expected;
  };
  const std::vector<Case> cases{
      {"2024-02-29T00:00:00Z", day},
      {"2024-02-29T23:59:59Z", day + 24h - 1s},
      {"2024-02-29T00:00:01.123456Z", day + 1s},
      {"2023-02-29T00:00:00Z", std::nullopt},
      {"2024-13-01T00:00:00Z", std::nullopt},
      {"2024-02-29T24:00:00Z", std::nullopt},
      {"2024-02-29T00:60:00Z", std::nullopt},
      {"2024-02-29T00:00:61Z", std::nullopt},
      {"2024-02-29T00:00:00", std::nullopt},
      {"2024-02-29T00:00:00.Z", std::nullopt},
      {"2024-02-29T00:00:00xZ", std::nullopt},
      {"2024-02-29T00:00:00+00:00", std::nullopt},
      {"2024-02-29 00:00:00Z", std::nullopt},
      {"-024-02-29T00:00:00Z", std::nullopt},
      {"", std::nullopt},
      {"Z", std::nullopt},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.text);
    EXPECT_EQ(parse_iso8601(c.text), c.expected);
  }
}

}  // namespace
}  // namespace forebay::origin
