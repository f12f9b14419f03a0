#include <forebay/s3/operation.hpp>

#include <gtest/gtest.h>

namespace forebay::s3 {
namespace {

struct Case {
  std::string_view method, target;
  Operation expected;
  std::string_view field = {};  ///< A header field the request has.
};

Address address_of(std::string_view path) {
  http::RequestHead request{.method = "GET", .target = std::string{path}, .headers = {}};
  return parse_address(request, {}).value();
}

void expect_operations(std::span<const Case> cases) {
  for (const auto& each : cases) {
    SCOPED_TRACE(testing::Message() << each.method << " " << each.target << " " << each.field);
    const auto target = http::split_target(each.target);
    const auto query = http::parse_query(target.query.value_or("")).value();
    http::Headers headers;
    if (!each.field.empty())
      headers.add(std::string{each.field}, "multipart/form-data; boundary=x");
    const auto operation = classify(each.method, address_of(target.path), query, headers);
    EXPECT_EQ(name(operation), name(each.expected));
  }
}

TEST(Operation, ServiceAndBucketRequests) {
  const Case cases[]{
      {"GET", "/", Operation::list_buckets},
      {"POST", "/", Operation::other},
      {"HEAD", "/b", Operation::head_bucket},
      {"GET", "/b", Operation::list_objects},
      {"GET", "/b?prefix=uploads", Operation::list_objects},
      {"GET", "/b?list-type=2&prefix=acl", Operation::list_objects_v2},
      {"GET", "/b?list-type=3", Operation::other},
      {"GET", "/b?versions", Operation::list_object_versions},
      {"GET", "/b?uploads=", Operation::list_multipart_uploads},
      {"GET", "/b?location", Operation::get_bucket_configuration},
      {"GET", "/b?policy", Operation::get_bucket_configuration},
      {"GET", "/b?session", Operation::create_session},
      {"PUT", "/b", Operation::create_bucket},
      {"PUT", "/b?versioning", Operation::put_bucket_configuration},
      {"DELETE", "/b", Operation::delete_bucket},
      {"DELETE", "/b?lifecycle", Operation::delete_bucket_configuration},
      {"POST", "/b?delete", Operation::delete_objects},
      {"POST", "/b", Operation::post_object, "Content-Type"},
      {"POST", "/b", Operation::other},
      {"PATCH", "/b", Operation::other},
      {"OPTIONS", "/b", Operation::cors_preflight},
  };
  expect_operations(cases);
}

TEST(Operation, ObjectRequests) {
  const Case cases[]{
      {"GET", "/b/k", Operation::get_object},
      {"GET", "/b/acl", Operation::get_object},
      {"GET", "/b/k?versionId=1&partNumber=2", Operation::get_object},
      {"GET", "/b/k?acl", Operation::get_object_acl},
      {"GET", "/b/k?versionId=1&acl", Operation::get_object_acl},
      {"GET", "/b/k?attributes", Operation::get_object_attributes},
      {"GET", "/b/k?legal-hold", Operation::get_object_legal_hold},
      {"GET", "/b/k?retention", Operation::get_object_retention},
      {"GET", "/b/k?tagging", Operation::get_object_tagging},
      {"GET", "/b/k?torrent", Operation::get_object_torrent},
      {"GET", "/b/k?uploadId=1", Operation::list_parts},
      {"HEAD", "/b/k", Operation::head_object},
      {"PUT", "/b/k", Operation::put_object},
      {"PUT", "/b/k", Operation::copy_object, "x-amz-copy-source"},
      {"PUT", "/b/k?partNumber=1&uploadId=2", Operation::upload_part},
      {"PUT", "/b/k?partNumber=1&uploadId=2", Operation::upload_part_copy, "X-Amz-Copy-Source"},
      {"PUT", "/b/k?renameObject", Operation::rename_object},
      {"PUT", "/b/k?acl", Operation::put_object_acl},
      {"PUT", "/b/k?legal-hold", Operation::put_object_legal_hold},
      {"PUT", "/b/k?retention", Operation::put_object_retention},
      {"PUT", "/b/k?tagging", Operation::put_object_tagging},
      {"POST", "/b/k?uploads", Operation::create_multipart_upload},
      {"POST", "/b/k?uploadId=1", Operation::complete_multipart_upload},
      {"POST", "/b/k?restore", Operation::restore_object},
      {"POST", "/b/k?select&select-type=2", Operation::select_object_content},
      {"POST", "/b/k", Operation::other},
      {"DELETE", "/b/k", Operation::delete_object},
      {"DELETE", "/b/k?tagging", Operation::delete_object_tagging},
      {"DELETE", "/b/k?uploadId=1", Operation::abort_multipart_upload},
      {"DELETE", "/b/k?acl", Operation::other},
      {"get", "/b/k", Operation::other},
      {"PATCH", "/b/k", Operation::other},
  };
  expect_operations(cases);
}

TEST(Operation, EverythingButReadsIsAWrite) {
  for (int i = 0; i <= static_cast<int>(Operation::other); ++i) {
    const auto operation = static_cast<Operation>(i);
    const auto text = name(operation);
    SCOPED_TRACE(text);
    const bool reads = text.starts_with("Get") || text.starts_with("Head") ||
                       text.starts_with("List") || text.starts_with("Select") ||
                       text == "CorsPreflight";
    EXPECT_EQ(is_write(operation), !reads);
    EXPECT_EQ(is_repeatable(operation), reads && !text.starts_with("Select"));
  }
}

bool is_plain(std::string_view method, std::string_view target) {
  const auto parts = http::split_target(target);
  return is_plain_get_object(method, address_of(parts.path),
                             http::parse_query(parts.query.value_or("")).value());
}

TEST(Operation, PlainReadsOfObjects) {
  for (const auto* const target :
       {"/b/k", "/b/acl", "/b/k?versionId=null", "/b/k?partNumber=1", "/b/k?x-id=GetObject",
        "/b/k?response-content-type=a%2Fb&response-expires=0",
        "/b/k?X-Amz-Algorithm=A&X-Amz-Credential=C&X-Amz-Date=D&X-Amz-Expires=1&"
        "X-Amz-SignedHeaders=host&X-Amz-Signature=S&X-Amz-Security-Token=T",
        "/b/k?AWSAccessKeyId=a&Signature=s&Expires=1", "/b/k?X-Amz-Checksum-Mode=ENABLED",
        "/b/k?x-amz-checksum-mode=ENABLED"}) {
    SCOPED_TRACE(target);
    EXPECT_TRUE(is_plain("GET", target));
    EXPECT_FALSE(is_plain("HEAD", target));
    EXPECT_FALSE(is_plain("PUT", target));
  }
}

TEST(Operation, AnyOtherParameterIsNotPlain) {
  for (const auto* const target :
       {"/", "/b", "/b?versionId=1", "/b/k?acl", "/b/k?acl=", "/b/k?uploadId=1", "/b/k?attributes",
        "/b/k?tagging&versionId=1", "/b/k?unknown", "/b/k?versionid=1", "/b/k?response-foo=1",
        "/b/k?X-Amz-Server-Side-Encryption-Customer-Key=a", "/b/k?=1"}) {
    SCOPED_TRACE(target);
    EXPECT_FALSE(is_plain("GET", target));
  }
}

}  // namespace
}  // namespace forebay::s3
