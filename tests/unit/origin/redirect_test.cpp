#include <forebay/origin/redirect.hpp>

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace forebay::origin {
namespace {

TEST(NamedHost, IsAllThatALogIsToldOfARedirect) {
  struct Case {
    const char* location;
    const char* body;
    const char* host;
  };
  const std::vector<Case> cases{
      {"https://s3.eu.example:8443/b/k?X-Amz-Signature=HUSH", "", "s3.eu.example:8443"},
      {"https://b.s3.example?X-Amz-Signature=HUSH", "", "b.s3.example"},
      {"https://s3.example#HUSH", "", "s3.example"},
      {"https://AK:HUSH@s3.example/b", "", "s3.example"},
      {"https://AK:HU@SH@s3.example/b", "", "s3.example"},
      {"//s3.example/b?HUSH", "", "s3.example"},
      {"/b/k?X-Amz-Signature=HUSH", "", "no host"},
      {"https://X-Amz-Signature=HUSH", "", "no host"},
      {"https:\\\\s3.example\\HUSH", "", "no host"},
      {"https://s3.example\r\nforged: HUSH", "", "no host"},
      {"", "<Error><Endpoint>b.s3.example</Endpoint></Error>", "b.s3.example"},
      {"", "<Error><Endpoint>b.s3.example/?HUSH</Endpoint></Error>", "b.s3.example"},
      {"", "", "no host"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.location);
    http::ResponseHead answer;
    if (*c.location != '\0')
      answer.headers.add("Location", c.location);
    EXPECT_EQ(named_host(answer, c.body), c.host);
  }
  http::ResponseHead answer;
  answer.headers.add("Location", "https://" + std::string(300, 'a'));
  EXPECT_EQ(named_host(answer, ""), "no host");
}

TEST(NamedBucket, EndsWhereNoNameGoesOn) {
  struct Case {
    const char* target;
    const char* bucket;
  };
  for (const Case& c : {Case{"/My_bucket.1/key?X-Amz-Signature=HUSH", "My_bucket.1"},
                        Case{"/bucket?X-Amz-Signature=HUSH", "bucket"},
                        Case{"/bucket%3FX-Amz-Signature=HUSH", "bucket"},
                        Case{"/bucket&X-Amz-Signature=HUSH/k", "bucket"}, Case{"/", ""}}) {
    SCOPED_TRACE(c.target);
    EXPECT_EQ(named_bucket(c.target), c.bucket);
  }
}

}  // namespace
}  // namespace forebay::origin
