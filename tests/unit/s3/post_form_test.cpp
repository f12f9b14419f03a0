#include <forebay/s3/checksum.hpp>
#include <forebay/s3/post_form.hpp>

#include <gtest/gtest.h>

namespace forebay::s3 {
namespace {

constexpr std::string_view kType = "multipart/form-data; boundary=XX";

std::string part(std::string_view name, std::string_view value) {
  std::string text = "--XX\r\nContent-Disposition: form-data; name=\"";
  return text.append(name).append("\"\r\n\r\n").append(value).append("\r\n");
}

std::string file(std::string_view content) {
  std::string text =
      "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n"
      "Content-Type: text/plain\r\n\r\n";
  return text.append(content).append("\r\n--XX--\r\n");
}

std::string base64(std::string_view text) {
  return to_base64(std::as_bytes(std::span{text}));
}

/// The body in one piece. nullopt where the form is not whole.
Outcome<std::optional<PostForm>> parse(std::string_view type, std::string_view body) {
  TRY(PostFormParser parser, PostFormParser::create(type));
  TRY(const bool complete, parser.feed(body));
  return complete ? std::optional{parser.take()} : std::nullopt;
}

PostForm parsed(std::string_view body) {
  auto form = parse(kType, body);
  EXPECT_TRUE(form && form.value());
  return form && form.value() ? *form.value() : PostForm{};
}

// The example of "Example: Browser-Based Upload using HTTP POST (Using AWS Signature Version 4)".
constexpr std::string_view kSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
constexpr std::string_view kPolicy =
    "{ \"expiration\": \"2015-12-30T12:00:00.000Z\",\r\n"
    "  \"conditions\": [\r\n"
    "    {\"bucket\": \"sigv4examplebucket\"},\r\n"
    "    [\"starts-with\", \"$key\", \"user/user1/\"],\r\n"
    "    {\"acl\": \"public-read\"},\r\n"
    "    {\"success_action_redirect\": "
    "\"http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html\"},\r\n"
    "    [\"starts-with\", \"$Content-Type\", \"image/\"],\r\n"
    "    {\"x-amz-meta-uuid\": \"14365123651274\"},\r\n"
    "    {\"x-amz-server-side-encryption\": \"AES256\"},\r\n"
    "    [\"starts-with\", \"$x-amz-meta-tag\", \"\"],\r\n"
    "\r\n"
    "    {\"x-amz-credential\": \"AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request\"},\r\n"
    "    {\"x-amz-algorithm\": \"AWS4-HMAC-SHA256\"},\r\n"
    "    {\"x-amz-date\": \"20151229T000000Z\" }\r\n"
    "  ]\r\n"
    "}";

std::string example() {
  return part("key", "user/user1/${filename}") + part("Policy", base64(kPolicy)) +
         part("X-Amz-Credential", "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request") +
         part("X-Amz-Algorithm", "AWS4-HMAC-SHA256") + part("X-Amz-Date", "20151229T000000Z") +
         part("X-Amz-Signature",
              "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e") +
         file("hello");
}

TEST(PostForm, ReadsFieldsUpToTheFileWhereverTheBodyIsCut) {
  const std::string body = example();
  const PostForm form = parsed(body);
  ASSERT_EQ(form.fields.size(), 6U);
  EXPECT_EQ(form.fields[0].name, "key");
  EXPECT_EQ(form.find("policy")->value, base64(kPolicy));
  EXPECT_TRUE(std::string_view{body}.substr(form.file_part).starts_with("--XX\r\nContent-Disp"));
  const auto file_head_end = body.find("\r\n\r\n", form.file_part) + 4;
  PostFormParser growing = PostFormParser::create(kType).value();
  for (std::size_t length = 0; length < body.size(); ++length) {
    const std::string_view beginning = std::string_view{body}.substr(0, length);
    const auto cut = parse(kType, beginning);
    ASSERT_TRUE(cut) << length;
    EXPECT_EQ(cut.value().has_value(), length >= file_head_end) << length;
    const auto grown = growing.feed(beginning);
    ASSERT_TRUE(grown) << length;
    EXPECT_EQ(grown.value(), length >= file_head_end) << length;
  }
  const PostForm in_pieces = growing.take();
  EXPECT_EQ(in_pieces.file_part, form.file_part);
  ASSERT_EQ(in_pieces.fields.size(), form.fields.size());
  EXPECT_EQ(in_pieces.find("policy")->value, form.find("policy")->value);
}

TEST(PostForm, VerifiesTheExampleAndNothingElse) {
  const auto authorization = post_authorization(parsed(example()));
  ASSERT_TRUE(authorization);
  EXPECT_EQ(authorization.value().kind, PostAuthorization::Kind::v4);
  EXPECT_EQ(authorization.value().access_key, "AKIAIOSFODNN7EXAMPLE");
  EXPECT_FALSE(verify_post(authorization.value(), kSecret));
  EXPECT_TRUE(verify_post(authorization.value(), "other"));
  auto changed = authorization.value();
  changed.policy[10] ^= 1;
  EXPECT_TRUE(verify_post(changed, kSecret));
}

TEST(PostForm, SignsAnewForAnotherPair) {
  const std::string body = example();
  const PostForm form = parsed(body);
  const auto authorization = post_authorization(form).value();
  const Credential origin{"OAK", "OSK", "TOKEN"};
  const auto anew = resign_post(form, body, authorization, origin, "eu-west-1");
  ASSERT_TRUE(anew);
  const std::string whole = anew.value() + body.substr(form.file_part);
  const PostForm form2 = parsed(whole);
  const auto authorization2 = post_authorization(form2).value();
  EXPECT_EQ(authorization2.access_key, "OAK");
  EXPECT_EQ(authorization2.region, "eu-west-1");
  EXPECT_FALSE(verify_post(authorization2, "OSK"));
  EXPECT_EQ(form2.find("x-amz-security-token")->value, "TOKEN");
  EXPECT_EQ(form2.find("key")->value, "user/user1/${filename}");
  const std::string policy = form2.find("policy")->value;
  EXPECT_EQ(whole.find("AKIAIOSFODNN7EXAMPLE"), std::string::npos);
  EXPECT_NE(policy, base64(kPolicy));
}

TEST(PostForm, SignsVersion2AnewWithoutTouchingThePolicy) {
  const std::string policy = base64("{\"conditions\": []}");
  const std::string body = part("AWSAccessKeyId", "AK") + part("policy", policy) +
                           part("signature", "x") + file("hello");
  const PostForm form = parsed(body);
  const auto authorization = post_authorization(form).value();
  EXPECT_EQ(authorization.kind, PostAuthorization::Kind::v2);
  const auto anew = resign_post(form, body, authorization, {"OAK", "OSK", ""}, "r");
  ASSERT_TRUE(anew);
  const PostForm form2 = parsed(anew.value() + body.substr(form.file_part));
  EXPECT_EQ(form2.find("policy")->value, policy);
  EXPECT_FALSE(verify_post(post_authorization(form2).value(), "OSK"));
}

std::string odd_disposition(std::string_view parameters) {
  return std::string{"--XX\r\nContent-Disposition: form-data; "}.append(parameters) +
         "\r\n\r\nx\r\n" + file("");
}

TEST(PostForm, ReadsWhatBrowsersAndLibrariesSend) {
  const std::string body =
      "--XX\r\nContent-Disposition: form-data; name=\"key\"\r\n"
      "Content-Type: text/plain; charset=UTF-8\r\n\r\nk\r\n"
      "--XX\r\ncontent-disposition: form-data;name=x-amz-meta-my_key\r\n\r\nv\r\n"
      "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a %22b'.txt\"; "
      "filename*=utf-8''%e2%82%ac\r\n\r\n";
  const PostForm form = parsed(body);
  ASSERT_EQ(form.fields.size(), 2U);
  EXPECT_EQ(form.find("key")->value, "k");
  EXPECT_EQ(form.find("x-amz-meta-my_key")->value, "v");
  EXPECT_TRUE(parse("Multipart/Form-Data; charset=utf-8; boundary=\"XX\"", body));
}

TEST(PostForm, RefusesWhatIsNoForm) {
  struct Case {
    std::string_view name, type;
    std::string body;
  };
  const std::string huge = part("key", std::string(PostForm::kSizeMax, 'x'));
  const std::string twice = part("key", "a") + part("Key", "b") + file("x");
  const std::string inner = part("key", "a --XX b") + file("x");
  const std::string bare_line = part("key", "a\n--XX\nContent-Disposition: x") + file("x");
  const std::string two_names =
      "--XX\r\nContent-Disposition: form-data; name=\"a\"; name=\"b\"\r\n\r\nx\r\n--XX--";
  const std::string two_heads =
      "--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n"
      "content-disposition: form-data; name=\"b\"\r\n\r\nx\r\n--XX--";
  const std::string extended =
      "--XX\r\nContent-Disposition: form-data; name=\"a\"; name*=UTF-8''b\r\n\r\nx\r\n--XX--";
  const std::string padded =
      "--XX \r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--XX--";
  const std::string line_feed =
      "--XX\r\nA: b\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--XX--";
  const Case cases[]{
      {"no boundary", "multipart/form-data", "--XX\r\n"},
      {"another boundary", kType, "--YY\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n"},
      {"a part without a name", kType, "--XX\r\nContent-Type: a/b\r\n\r\nx\r\n--XX--"},
      {"no end of fields", kType, huge},
      {"a field twice", kType, twice},
      {"a boundary within a line", kType, inner},
      {"a boundary behind a bare line feed", kType, bare_line},
      {"two names", kType, two_names},
      {"two dispositions", kType, two_heads},
      {"an extended name beside a plain one", kType, extended},
      {"blanks behind a boundary", kType, padded},
      {"a bare line feed in a part's head", kType, line_feed},
      {"a form feed before the name", kType, odd_disposition("name=\x0c\"policy\"")},
      {"a vertical tab before a parameter", kType,
       odd_disposition("name=\"a\"; \x0bname=\"policy\"")},
      {"a line that begins with a control", kType,
       odd_disposition("name=\"a\"\r\n\x0b"
                       "Content-Disposition: form-data; name=\"policy\"")},
      {"a folded line", kType, odd_disposition("name=\"a\"\r\n ; name=\"policy\"")},
      {"a name continued", kType, odd_disposition("name=\"a\"; name*0=\"policy\"")},
      {"a name continued and encoded", kType, odd_disposition("name=\"a\"; name*0*=utf-8''policy")},
      {"a parameter of no meaning", kType, odd_disposition("name=\"a\"; x=\"policy\"")},
      {"a semicolon in a file name", kType,
       odd_disposition("name=\"a\"; filename=\"b; name=policy\"")},
      {"an escaped name", kType, odd_disposition("name=\"po\\licy\"")},
      {"another disposition", kType, "--XX\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\n"},
      {"a field that chooses an ETag", kType, part("X-Minio-Source-Etag", "e") + file("")},
      {"a boundary continued", "multipart/form-data; boundary=XX; boundary*0=YY", twice},
      {"two boundaries", "multipart/form-data; boundary=XX; boundary=YY", twice},
      {"another type first", "text/plain, multipart/form-data; boundary=XX", twice},
      {"a type that only mentions a form", "text/plain; multipart/form-data; boundary=XX", twice},
      {"a boundary with a quote in it", "multipart/form-data; boundary=X\"X", twice},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.name);
    const auto form = parse(each.type, each.body);
    ASSERT_FALSE(form);
    EXPECT_EQ(form.error().code, ErrorCode::malformed_post_request);
  }
  const auto garbled = part("policy", "####") +
                       part("x-amz-credential", "A/20200101/r/s3/aws4_request") +
                       part("x-amz-algorithm", "AWS4-HMAC-SHA256") + file("");
  const PostForm form = parsed(garbled);
  EXPECT_EQ(resign_post(form, garbled, post_authorization(form).value(), {"A", "B", ""}, "r")
                .error()
                .code,
            ErrorCode::invalid_policy_document);
}

TEST(PostForm, PartsOfAnAuthorisationAreNone) {
  const std::string v2 = part("AWSAccessKeyId", "a") + part("signature", "b");
  const std::string v4 = part("x-amz-credential", "A/20200101/r/s3/aws4_request") +
                         part("x-amz-algorithm", "AWS4-HMAC-SHA256") + part("x-amz-signature", "s");
  for (const std::string& fields :
       {v2, v4, part("x-amz-signature", "s"), v2 + v4 + part("policy", "e30=")}) {
    SCOPED_TRACE(fields);
    const auto authorization = post_authorization(parsed(fields + file("")));
    ASSERT_FALSE(authorization);
    EXPECT_EQ(authorization.error().code, ErrorCode::invalid_argument);
  }
}

TEST(PostForm, WithoutAPolicyIsAnonymous) {
  EXPECT_EQ(post_authorization(parsed(part("key", "k") + file(""))).value().kind,
            PostAuthorization::Kind::none);
}

}  // namespace
}  // namespace forebay::s3
