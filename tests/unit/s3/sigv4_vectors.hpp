#pragma once
// Made by tests/support/make_sigv4_vectors.py with botocore 1.44.5. Do not edit.
#include <string_view>
#include <utility>
#include <vector>

namespace forebay::s3 {

struct SignedRequest {
  std::string_view method, target;
  std::vector<std::pair<std::string_view, std::string_view>> headers;
  std::string_view region, secret_key, session_token;
};

inline constexpr long long kVectorTime = 1770091506;
inline constexpr std::string_view kVectorAccessKey = "AKIDEXAMPLE";

inline const std::vector<SignedRequest>& header_vectors() {
  static const std::vector<SignedRequest> vectors{
      {"GET",
       "/bucket/plain",
       {{"Host", "localhost:9000"},
        {"X-Amz-Date", "20260203T040506Z"},
        {"X-Amz-Security-Token", "token/with+signs=="},
        {"X-Amz-Content-SHA256",
         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"Authorization",
         "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260203/us-east-1/s3/aws4_request, "
         "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token, "
         "Signature=ba139018242c17ed59a1fa3a61c02fe8412b39837a99da7edde35a728b42677e"}},
       "us-east-1",
       "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
       "token/with+signs=="},
      {"PUT",
       "/bucket/a%20b?uploads=",
       {{"Host", "bucket.s3.example.com"},
        {"Range", "bytes=0-9"},
        {"If-Match", "\"abc\""},
        {"X-Amz-Date", "20260203T040506Z"},
        {"X-Amz-Content-SHA256",
         "e92b667eb438d66f429e37c1aab76513c1953666b7cb7997f739bfa786723cfd"},
        {"Authorization",
         "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260203/us-east-1/s3/aws4_request, "
         "SignedHeaders=host;if-match;range;x-amz-content-sha256;x-amz-date, "
         "Signature=bfc178484b5e7d58f9331647f87b9d3f2b72631f9cb3704b59048988947e800a"}},
       "us-east-1",
       "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
       ""},
      {"HEAD",
       "/bucket/a%2Bb?list-type=2&prefix=a%20b%2F%C3%BC%2Bc&delimiter=%2F",
       {{"Host", "localhost:9000"},
        {"x-amz-meta-spaces", "  a   b  "},
        {"x-amz-acl", "private"},
        {"Content-Type", "text/plain"},
        {"X-Amz-Date", "20260203T040506Z"},
        {"X-Amz-Content-SHA256",
         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"Authorization",
         "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260203/eu-central-1/s3/aws4_request, "
         "SignedHeaders=content-type;host;x-amz-acl;x-amz-content-sha256;x-amz-date;x-amz-meta-"
         "spaces, Signature=1cf4ad2c83b9ec67b0fe1ae219a97a627d92afdddab6e50b50299b2fa2ce47ce"}},
       "eu-central-1",
       "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
       ""},
      {"DELETE",
       "/bucket/100%25?versionId=x.Y_-~%2F%2B%3D&partNumber=7",
       {{"Host", "bucket.s3.example.com"},
        {"X-Amz-Date", "20260203T040506Z"},
        {"X-Amz-Security-Token", "token/with+signs=="},
        {"X-Amz-Content-SHA256",
         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"Authorization",
         "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260203/eu-central-1/s3/aws4_request, "
         "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token, "
         "Signature=50b33dbffd469dd60dcac32f61391ee47b076ebbd290c51c375a7af73b0881f3"}},
       "eu-central-1",
       "x",
       "token/with+signs=="},
      {"GET",
       "/bucket/%C3%A4%C3%B6%C3%BC/%E6%97%A5%E6%9C%AC?B=1&a=2&A=3",
       {{"Host", "localhost:9000"},
        {"Range", "bytes=0-9"},
        {"If-Match", "\"abc\""},
        {"X-Amz-Date", "20260203T040506Z"},
        {"X-Amz-Content-SHA256",
         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"Authorization",
         "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260203/default/s3/aws4_request, "
         "SignedHeaders=host;if-match;range;x-amz-content-sha256;x-amz-date, "
         "Signature=1849ba9ad13bc924f07c733247ad34c83745c7faf2271f3e3f39b8c8f21b6e5a"}},
       "default",
       "x",
       ""},
      {"PUT",
       "/bucket/a//b?k=b&k=a&k=",
       {{"Host", "bucket.s3.example.com"},
        {"x-amz-meta-spaces", "  a   b  "},
        {"x-amz-acl", "private"},
        {"Content-Type", "text/plain"},
        {"X-Amz-Date", "20260203T040506Z"},
        {"X-Amz-Content-SHA256",
         "c0a3970a493d140c81493092e79befa5fbed3d2201be5c51afbe3dfb12fc1ea2"},
        {"Authorization",
         "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260203/default/s3/aws4_request, "
         "SignedHeaders=content-type;host;x-amz-acl;x-amz-content-sha256;x-amz-date;x-amz-meta-"
         "spaces, Signature=6fd16ac84773a7bb0f01ec488a6bc0001b6fea0a20c0817fecd77b709514404e"}},
       "default",
       "x",
       ""},
      {"HEAD",
       "/bucket/a/./b/../c",
       {{"Host", "localhost:9000"},
        {"X-Amz-Date", "20260203T040506Z"},
        {"X-Amz-Security-Token", "token/with+signs=="},
        {"X-Amz-Content-SHA256",
         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"Authorization",
         "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260203/us-east-1/s3/aws4_request, "
         "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token, "
         "Signature=a83a57d3a47a6aef6ffe1a9aa64c5c590f92b3ad419e6f29d6cbd7505752cee9"}},
       "us-east-1",
       "sssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss"
       "sssssssss",
       "token/with+signs=="},
      {"DELETE",
       "/bucket//lead?uploads=",
       {{"Host", "bucket.s3.example.com"},
        {"Range", "bytes=0-9"},
        {"If-Match", "\"abc\""},
        {"X-Amz-Date", "20260203T040506Z"},
        {"X-Amz-Content-SHA256",
         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"Authorization",
         "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260203/us-east-1/s3/aws4_request, "
         "SignedHeaders=host;if-match;range;x-amz-content-sha256;x-amz-date, "
         "Signature=083af5bdeac8b2c2c7dccaae3018dba9849b61784ac584766dd49eedff9cd6ed"}},
       "us-east-1",
       "sssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss"
       "sssssssss",
       ""},
      {"GET",
       "/bucket/trail/?list-type=2&prefix=a%20b%2F%C3%BC%2Bc&delimiter=%2F",
       {{"Host", "localhost:9000"},
        {"x-amz-meta-spaces", "  a   b  "},
        {"x-amz-acl", "private"},
        {"Content-Type", "text/plain"},
        {"X-Amz-Date", "20260203T040506Z"},
        {"X-Amz-Content-SHA256",
         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"Authorization",
         "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260203/eu-central-1/s3/aws4_request, "
         "SignedHeaders=content-type;host;x-amz-acl;x-amz-content-sha256;x-amz-date;x-amz-meta-"
         "spaces, Signature=fbb63c4c3778da8e7a6d7d0bfbf5a64de2b50d735fe31bd47dbb0f21cb0df66c"}},
       "eu-central-1",
       "sssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss"
       "sssssssss",
       ""},
      {"PUT",
       "/bucket/~tilde-_.?versionId=x.Y_-~%2F%2B%3D&partNumber=7",
       {{"Host", "bucket.s3.example.com"},
        {"X-Amz-Date", "20260203T040506Z"},
        {"X-Amz-Security-Token", "token/with+signs=="},
        {"X-Amz-Content-SHA256",
         "1d9ab32e158296af2d0ba5b3ddcfeffa8304d4240959f3bba494105f2b116f00"},
        {"Authorization",
         "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260203/eu-central-1/s3/aws4_request, "
         "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token, "
         "Signature=99c4c5f59f3318cde7e431c10c5c4123ed1ca8d2d765de81241342c732f934cc"}},
       "eu-central-1",
       "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
       "token/with+signs=="},
      {"HEAD",
       "/bucket/q%3Fx%3Dy%26z?B=1&a=2&A=3",
       {{"Host", "localhost:9000"},
        {"Range", "bytes=0-9"},
        {"If-Match", "\"abc\""},
        {"X-Amz-Date", "20260203T040506Z"},
        {"X-Amz-Content-SHA256",
         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"Authorization",
         "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260203/default/s3/aws4_request, "
         "SignedHeaders=host;if-match;range;x-amz-content-sha256;x-amz-date, "
         "Signature=9152cc9af4655b436d2f638d83c20b97665f53029844b68236229d131b681512"}},
       "default",
       "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
       ""},
      {"DELETE",
       "/bucket/%23frag?k=b&k=a&k=",
       {{"Host", "bucket.s3.example.com"},
        {"x-amz-meta-spaces", "  a   b  "},
        {"x-amz-acl", "private"},
        {"Content-Type", "text/plain"},
        {"X-Amz-Date", "20260203T040506Z"},
        {"X-Amz-Content-SHA256",
         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"Authorization",
         "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260203/default/s3/aws4_request, "
         "SignedHeaders=content-type;host;x-amz-acl;x-amz-content-sha256;x-amz-date;x-amz-meta-"
         "spaces, Signature=c98c9faae4a58aa564ae56c9b354e54f746f438564c78bc637633404be7135f3"}},
       "default",
       "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
       ""},
      {"GET",
       "/bucket/quote%27%22%28%29%7B%7D%5B%5D%21%2A",
       {{"Host", "localhost:9000"},
        {"X-Amz-Date", "20260203T040506Z"},
        {"X-Amz-Security-Token", "token/with+signs=="},
        {"X-Amz-Content-SHA256",
         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"Authorization",
         "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260203/us-east-1/s3/aws4_request, "
         "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token, "
         "Signature=f99d92b4a0b49ffe755d5a45733c6710497e198a9aa59873853f9765266a456a"}},
       "us-east-1",
       "x",
       "token/with+signs=="},
      {"PUT",
       "/bucket/a%3Db%3Bc%2Cd%40e%3Af%24g?uploads=",
       {{"Host", "bucket.s3.example.com"},
        {"Range", "bytes=0-9"},
        {"If-Match", "\"abc\""},
        {"X-Amz-Date", "20260203T040506Z"},
        {"X-Amz-Content-SHA256",
         "f925c7d863ec872ecc5a031dbb1d5756fd5099eb2db36e0ae73b100f13d278a7"},
        {"Authorization",
         "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260203/us-east-1/s3/aws4_request, "
         "SignedHeaders=host;if-match;range;x-amz-content-sha256;x-amz-date, "
         "Signature=7c8e4571d346725b65f2c85f8cbaa711cd457a6d5a160711214d750aa85a7a6e"}},
       "us-east-1",
       "x",
       ""},
      {"HEAD",
       "/bucket/%252F?list-type=2&prefix=a%20b%2F%C3%BC%2Bc&delimiter=%2F",
       {{"Host", "localhost:9000"},
        {"x-amz-meta-spaces", "  a   b  "},
        {"x-amz-acl", "private"},
        {"Content-Type", "text/plain"},
        {"X-Amz-Date", "20260203T040506Z"},
        {"X-Amz-Content-SHA256",
         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"Authorization",
         "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260203/eu-central-1/s3/aws4_request, "
         "SignedHeaders=content-type;host;x-amz-acl;x-amz-content-sha256;x-amz-date;x-amz-meta-"
         "spaces, Signature=fd4538d25faf9a0396900b2359c086474172945b7c49f0de6311fb04f79b8ac7"}},
       "eu-central-1",
       "x",
       ""},
      {"DELETE",
       "/bucket/%01%7F?versionId=x.Y_-~%2F%2B%3D&partNumber=7",
       {{"Host", "bucket.s3.example.com"},
        {"X-Amz-Date", "20260203T040506Z"},
        {"X-Amz-Security-Token", "token/with+signs=="},
        {"X-Amz-Content-SHA256",
         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"Authorization",
         "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260203/eu-central-1/s3/aws4_request, "
         "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token, "
         "Signature=630f3a1b2dc516ea6aa3d6ce8d1f866ff465da832ea48d8779b209fff8f6d4a8"}},
       "eu-central-1",
       "sssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss"
       "sssssssss",
       "token/with+signs=="},
  };
  return vectors;
}

inline const std::vector<SignedRequest>& presigned_vectors() {
  static const std::vector<SignedRequest> vectors{
      {"GET",
       "/bucket/"
       "plain?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260203%2Fus-east-1%"
       "2Fs3%2Faws4_request&X-Amz-Date=20260203T040506Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host&"
       "X-Amz-Security-Token=token%2Fwith%2Bsigns%3D%3D&X-Amz-Signature="
       "a3c3a751ff4ccd24994abdaa8c1f7e91583797b69a3eb3d0c2c63570be0c2d28",
       {{"Host", "localhost:9000"}},
       "us-east-1",
       "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
       "token/with+signs=="},
      {"PUT",
       "/bucket/"
       "a%20b?uploads=&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260203%"
       "2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20260203T040506Z&X-Amz-Expires=900&X-Amz-"
       "SignedHeaders=host%3Bif-match%3Brange&X-Amz-Signature="
       "7be00b38013f48f691ff2356c563ba71aa81a1ccee41631aacb3b1b3f9c1df46",
       {{"Host", "bucket.s3.example.com"}, {"Range", "bytes=0-9"}, {"If-Match", "\"abc\""}},
       "us-east-1",
       "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
       ""},
      {"HEAD",
       "/bucket/"
       "a%2Bb?list-type=2&prefix=a%20b%2F%C3%BC%2Bc&delimiter=%2F&X-Amz-Algorithm=AWS4-HMAC-SHA256&"
       "X-Amz-Credential=AKIDEXAMPLE%2F20260203%2Feu-central-1%2Fs3%2Faws4_request&X-Amz-Date="
       "20260203T040506Z&X-Amz-Expires=900&X-Amz-SignedHeaders=content-type%3Bhost%3Bx-amz-acl%3Bx-"
       "amz-meta-spaces&X-Amz-Signature="
       "1b521b7d054199a00e577ee9e947eeb02b0e2c65e83a21381152bef109e30ba8",
       {{"Host", "localhost:9000"},
        {"x-amz-meta-spaces", "  a   b  "},
        {"x-amz-acl", "private"},
        {"Content-Type", "text/plain"}},
       "eu-central-1",
       "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
       ""},
      {"DELETE",
       "/bucket/"
       "100%25?versionId=x.Y_-~%2F%2B%3D&partNumber=7&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-"
       "Credential=AKIDEXAMPLE%2F20260203%2Feu-central-1%2Fs3%2Faws4_request&X-Amz-Date="
       "20260203T040506Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host&X-Amz-Security-Token=token%"
       "2Fwith%2Bsigns%3D%3D&X-Amz-Signature="
       "3428c85ee0c8ee77dc8847a19d01549a58c166fb6fdde83b091f57ac8df327e7",
       {{"Host", "bucket.s3.example.com"}},
       "eu-central-1",
       "x",
       "token/with+signs=="},
      {"GET",
       "/bucket/%C3%A4%C3%B6%C3%BC/"
       "%E6%97%A5%E6%9C%AC?B=1&a=2&A=3&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="
       "AKIDEXAMPLE%2F20260203%2Fdefault%2Fs3%2Faws4_request&X-Amz-Date=20260203T040506Z&X-Amz-"
       "Expires=900&X-Amz-SignedHeaders=host%3Bif-match%3Brange&X-Amz-Signature="
       "cd86d547f3cc360a4eb08bc1f50435af0e2d800a0719785343e922891da1cca7",
       {{"Host", "localhost:9000"}, {"Range", "bytes=0-9"}, {"If-Match", "\"abc\""}},
       "default",
       "x",
       ""},
      {"PUT",
       "/bucket/a//"
       "b?k=b&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260203%2Fdefault%"
       "2Fs3%2Faws4_request&X-Amz-Date=20260203T040506Z&X-Amz-Expires=900&X-Amz-SignedHeaders="
       "content-type%3Bhost%3Bx-amz-acl%3Bx-amz-meta-spaces&X-Amz-Signature="
       "a1ab2ff45af6ec36c66a4b95f15e35e6855cda42a49748cf3ce007b11a05beb0",
       {{"Host", "bucket.s3.example.com"},
        {"x-amz-meta-spaces", "  a   b  "},
        {"x-amz-acl", "private"},
        {"Content-Type", "text/plain"}},
       "default",
       "x",
       ""},
      {"HEAD",
       "/bucket/a/./b/../"
       "c?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260203%2Fus-east-1%"
       "2Fs3%2Faws4_request&X-Amz-Date=20260203T040506Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host&"
       "X-Amz-Security-Token=token%2Fwith%2Bsigns%3D%3D&X-Amz-Signature="
       "2a11262fcd9f09b080d8d43ac15509e51b8ccd1dc3c4e261a9b919a4a563c212",
       {{"Host", "localhost:9000"}},
       "us-east-1",
       "sssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss"
       "sssssssss",
       "token/with+signs=="},
      {"DELETE",
       "/bucket//"
       "lead?uploads=&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260203%"
       "2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20260203T040506Z&X-Amz-Expires=900&X-Amz-"
       "SignedHeaders=host%3Bif-match%3Brange&X-Amz-Signature="
       "5dc39fd03880314c32c21db1e846cd06ed1277fe6abb1544230d90b97751a1c8",
       {{"Host", "bucket.s3.example.com"}, {"Range", "bytes=0-9"}, {"If-Match", "\"abc\""}},
       "us-east-1",
       "sssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss"
       "sssssssss",
       ""},
      {"GET",
       "/bucket/trail/"
       "?list-type=2&prefix=a%20b%2F%C3%BC%2Bc&delimiter=%2F&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-"
       "Amz-Credential=AKIDEXAMPLE%2F20260203%2Feu-central-1%2Fs3%2Faws4_request&X-Amz-Date="
       "20260203T040506Z&X-Amz-Expires=900&X-Amz-SignedHeaders=content-type%3Bhost%3Bx-amz-acl%3Bx-"
       "amz-meta-spaces&X-Amz-Signature="
       "bf58c6455925507e1b9e263b020b7d4a6afdae9927757910bede5eee9eb2c94b",
       {{"Host", "localhost:9000"},
        {"x-amz-meta-spaces", "  a   b  "},
        {"x-amz-acl", "private"},
        {"Content-Type", "text/plain"}},
       "eu-central-1",
       "sssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss"
       "sssssssss",
       ""},
      {"PUT",
       "/bucket/"
       "~tilde-_.?versionId=x.Y_-~%2F%2B%3D&partNumber=7&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-"
       "Credential=AKIDEXAMPLE%2F20260203%2Feu-central-1%2Fs3%2Faws4_request&X-Amz-Date="
       "20260203T040506Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host&X-Amz-Security-Token=token%"
       "2Fwith%2Bsigns%3D%3D&X-Amz-Signature="
       "dec564658a3071e273a97ecdf0bc940766d65b82a03422a19a6302dcda5f7768",
       {{"Host", "bucket.s3.example.com"}},
       "eu-central-1",
       "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
       "token/with+signs=="},
      {"HEAD",
       "/bucket/"
       "q%3Fx%3Dy%26z?B=1&a=2&A=3&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%"
       "2F20260203%2Fdefault%2Fs3%2Faws4_request&X-Amz-Date=20260203T040506Z&X-Amz-Expires=900&X-"
       "Amz-SignedHeaders=host%3Bif-match%3Brange&X-Amz-Signature="
       "9963b1b44ef7a8564179107517bda3406b1e0b571e7b187ba06739fba8846384",
       {{"Host", "localhost:9000"}, {"Range", "bytes=0-9"}, {"If-Match", "\"abc\""}},
       "default",
       "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
       ""},
      {"DELETE",
       "/bucket/"
       "%23frag?k=b&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260203%"
       "2Fdefault%2Fs3%2Faws4_request&X-Amz-Date=20260203T040506Z&X-Amz-Expires=900&X-Amz-"
       "SignedHeaders=content-type%3Bhost%3Bx-amz-acl%3Bx-amz-meta-spaces&X-Amz-Signature="
       "d3ddc9718ef8f16e4d3bfa2357a04a2847101e52042ae4f4f79bf93261e9acbe",
       {{"Host", "bucket.s3.example.com"},
        {"x-amz-meta-spaces", "  a   b  "},
        {"x-amz-acl", "private"},
        {"Content-Type", "text/plain"}},
       "default",
       "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
       ""},
      {"GET",
       "/bucket/"
       "quote%27%22%28%29%7B%7D%5B%5D%21%2A?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="
       "AKIDEXAMPLE%2F20260203%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20260203T040506Z&X-Amz-"
       "Expires=900&X-Amz-SignedHeaders=host&X-Amz-Security-Token=token%2Fwith%2Bsigns%3D%3D&X-Amz-"
       "Signature=8109b0476402934e18d6fb96f3a67e76574587dcb3a3bd1fa89ecd45b838eba8",
       {{"Host", "localhost:9000"}},
       "us-east-1",
       "x",
       "token/with+signs=="},
      {"PUT",
       "/bucket/"
       "a%3Db%3Bc%2Cd%40e%3Af%24g?uploads=&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="
       "AKIDEXAMPLE%2F20260203%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20260203T040506Z&X-Amz-"
       "Expires=900&X-Amz-SignedHeaders=host%3Bif-match%3Brange&X-Amz-Signature="
       "26d1697b4ea665eca30c19a850544f365523316db02aca066dc07ca39673ad17",
       {{"Host", "bucket.s3.example.com"}, {"Range", "bytes=0-9"}, {"If-Match", "\"abc\""}},
       "us-east-1",
       "x",
       ""},
      {"HEAD",
       "/bucket/"
       "%252F?list-type=2&prefix=a%20b%2F%C3%BC%2Bc&delimiter=%2F&X-Amz-Algorithm=AWS4-HMAC-SHA256&"
       "X-Amz-Credential=AKIDEXAMPLE%2F20260203%2Feu-central-1%2Fs3%2Faws4_request&X-Amz-Date="
       "20260203T040506Z&X-Amz-Expires=900&X-Amz-SignedHeaders=content-type%3Bhost%3Bx-amz-acl%3Bx-"
       "amz-meta-spaces&X-Amz-Signature="
       "ece4f35bf6787fdfd05086bbe9216e2a48ee4ae01a861dc0807c81c961507c0e",
       {{"Host", "localhost:9000"},
        {"x-amz-meta-spaces", "  a   b  "},
        {"x-amz-acl", "private"},
        {"Content-Type", "text/plain"}},
       "eu-central-1",
       "x",
       ""},
      {"DELETE",
       "/bucket/"
       "%01%7F?versionId=x.Y_-~%2F%2B%3D&partNumber=7&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-"
       "Credential=AKIDEXAMPLE%2F20260203%2Feu-central-1%2Fs3%2Faws4_request&X-Amz-Date="
       "20260203T040506Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host&X-Amz-Security-Token=token%"
       "2Fwith%2Bsigns%3D%3D&X-Amz-Signature="
       "e8c4b40ba35a8de1f9686692e5732159cea32ee603f974fa15cb44eda2f16d21",
       {{"Host", "bucket.s3.example.com"}},
       "eu-central-1",
       "sssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss"
       "sssssssss",
       "token/with+signs=="},
  };
  return vectors;
}

}  // namespace forebay::s3
