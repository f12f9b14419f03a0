#include <forebay/config/credentials.hpp>

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace forebay::config {
namespace {

using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(Credentials, ReadsEveryField) {
  const ParsedCredentials parsed = parse_credentials(
      "credentials:     # a comment\n"
      "  - { access_key: AK, secret_key: SK, origin_access_key: OAK, origin_secret_key: OSK,\n"
      "      origin_session_token: T, allow: [ { bucket: \"train-*\", read_only: true },\n"
      "                                        { bucket: scratch } ] }\n",
      "c.yaml");
  ASSERT_THAT(parsed.errors, IsEmpty());
  ASSERT_EQ(parsed.keys.size(), 1U);
  const origin::CallerKey& key = *parsed.keys.at("AK");
  EXPECT_EQ(key.access_key, "AK");
  EXPECT_EQ(key.secret_key, "SK");
  EXPECT_EQ(key.origin_access_key, "OAK");
  EXPECT_EQ(key.origin_secret_key, "OSK");
  EXPECT_EQ(key.origin_session_token, "T");
  ASSERT_EQ(key.allow.size(), 2U);
  EXPECT_EQ(key.allow[0].bucket, "train-*");
  EXPECT_TRUE(key.allow[0].read_only);
  EXPECT_EQ(key.allow[1].bucket, "scratch");
  EXPECT_FALSE(key.allow[1].read_only);
}

TEST(Credentials, UsesTheSamePairTowardTheOriginByDefault) {
  const ParsedCredentials parsed = parse_credentials(
      "credentials:\n  - {access_key: A, secret_key: B}\n  - {access_key: C, secret_key: D}\n",
      "c.yaml");
  ASSERT_THAT(parsed.errors, IsEmpty());
  ASSERT_EQ(parsed.keys.size(), 2U);
  const origin::CallerKey& key = *parsed.keys.at("C");
  EXPECT_EQ(key.origin_access_key, "C");
  EXPECT_EQ(key.origin_secret_key, "D");
  EXPECT_EQ(key.origin_session_token, "");
  EXPECT_THAT(key.allow, IsEmpty());
}

TEST(Credentials, AnEmptyListIsNobodyAndNoError) {
  const ParsedCredentials parsed = parse_credentials("credentials: []\n", "c.yaml");
  EXPECT_THAT(parsed.errors, IsEmpty());
  EXPECT_TRUE(parsed.keys.empty());
}

TEST(Credentials, NamesThePlaceAndNeverTheValue) {
  const std::string kKeys =
      "allowed: access_key, secret_key, origin_access_key, origin_secret_key, "
      "origin_session_token, allow";
  const std::string kName = "allowed: a text of 1 to 256 characters";
  struct Case {
    const char* name;
    std::string text;
    std::vector<std::string> errors;
  };
  const Case kCases[] = {
      {"nothing",
       "",
       {"c.yaml:1:1: credentials: missing; allowed: a list of maps with the keys "
        "access_key, secret_key, origin_access_key, origin_secret_key, "
        "origin_session_token, allow"}},
      {"secret missing",
       "credentials:\n  - access_key: HUSH\n",
       {"c.yaml:2:5: credentials[0].secret_key: missing; " + kName}},
      {"secret empty",
       "credentials: [{access_key: HUSH, secret_key: \"\"}]\n",
       {"c.yaml:1:46: credentials[0].secret_key: the value is empty; " + kName}},
      {"secret of another shape",
       "credentials: [{access_key: HUSH, secret_key: [HUSH]}]\n",
       {"c.yaml:1:46: credentials[0].secret_key: is a list, not a single value; " + kName}},
      {"secret in the place of a name",
       "credentials: [{access_key: A, HUSH, secret_key: B}]\n",
       {"c.yaml:1:31: credentials[0].?: unknown key; " + kKeys}},
      {"slip in a name",
       "credentials: [{access_key: A, secret_key: B, secret_kye: HUSH}]\n",
       {"c.yaml:1:46: credentials[0].?: unknown key (did you mean credentials[0].secret_key?); " +
        kKeys}},
      {"key given twice",
       "credentials:\n  - {access_key: HUSH, secret_key: B}\n"
       "  - {access_key: HUSH, secret_key: HUSH}\n",
       {"c.yaml:3:18: credentials[1].access_key: is that of an earlier entry; allowed: each access "
        "key once"}},
      {"half a pair",
       "credentials: [{access_key: A, secret_key: B, origin_access_key: HUSH}]\n",
       {"c.yaml:1:15: credentials[0].origin_secret_key: missing; allowed: origin_access_key and "
        "origin_secret_key, both or neither"}},
      {"the other half",
       "credentials: [{access_key: A, secret_key: B, origin_secret_key: HUSH}]\n",
       {"c.yaml:1:15: credentials[0].origin_access_key: missing; allowed: origin_access_key and "
        "origin_secret_key, both or neither"}},
      {"allow nothing, which would read as all",
       "credentials: [{access_key: A, secret_key: B, allow: []}]\n",
       {"c.yaml:1:53: credentials[0].allow: has too few entries; allowed: a list of maps with the "
        "keys bucket, read_only"}},
      {"allow without a bucket",
       "credentials: [{access_key: A, secret_key: B, allow: [{read_only: true}]}]\n",
       {"c.yaml:1:54: credentials[0].allow[0].bucket: missing; allowed: a text that is not "
        "empty"}},
      {"no boolean",
       "credentials: [{access_key: A, secret_key: B, allow: [{bucket: x, read_only: HUSH}]}]\n",
       {"c.yaml:1:77: credentials[0].allow[0].read_only: the value is not a boolean; allowed: "
        "true, false"}},
      {"text of another kind",
       "credentials: HUSH\n",
       {"c.yaml:1:14: credentials: is a text, not a list; allowed: a list of maps with the keys "
        "access_key, secret_key, origin_access_key, origin_secret_key, origin_session_token, "
        "allow"}},
      {"alias that YAML would quote",
       "credentials: [{access_key: A, secret_key: *HUSH}]\n",
       {"c.yaml:1:43: not valid YAML: the referenced anchor is not defined"}},
      {"escape that YAML would quote",
       "credentials: [{access_key: A, secret_key: \"HUSH\\QHUSH\"}]\n",
       {"c.yaml:1:50: not valid YAML: unknown escape character"}},
  };
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.name);
    const ParsedCredentials parsed = parse_credentials(test.text, "c.yaml");
    EXPECT_THAT(parsed.errors, ElementsAreArray(test.errors));
    for (const std::string& error : parsed.errors)
      EXPECT_THAT(error, Not(HasSubstr("HUSH")));
  }
}

TEST(Credentials, RefusesAFileThatCannotBeRead) {
  EXPECT_FALSE(load_credentials("/no/such/credentials.yaml"));
}

}  // namespace
}  // namespace forebay::config
