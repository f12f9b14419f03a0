#include <forebay/base/assert.hpp>
#include <forebay/s3/operation.hpp>

#include <algorithm>
#include <array>

namespace forebay::s3 {
namespace {

using Parameters = std::span<const http::QueryParameter>;

enum class Effect { read, write };
enum class Repeat { yes, no };

struct Traits {
  Operation operation;
  std::string_view name;
  Effect effect;
  Repeat repeat;
};

using enum Effect;

constexpr std::array kTraits{
    Traits{Operation::list_buckets, "ListBuckets", read, Repeat::yes},
    Traits{Operation::head_bucket, "HeadBucket", read, Repeat::yes},
    Traits{Operation::list_objects, "ListObjects", read, Repeat::yes},
    Traits{Operation::list_objects_v2, "ListObjectsV2", read, Repeat::yes},
    Traits{Operation::list_object_versions, "ListObjectVersions", read, Repeat::yes},
    Traits{Operation::list_multipart_uploads, "ListMultipartUploads", read, Repeat::yes},
    Traits{Operation::get_bucket_configuration, "GetBucketConfiguration", read, Repeat::yes},
    Traits{Operation::create_bucket, "CreateBucket", write, Repeat::no},
    Traits{Operation::delete_bucket, "DeleteBucket", write, Repeat::no},
    // A GET, but it hands out a key that can write.
    Traits{Operation::create_session, "CreateSession", write, Repeat::no},
    Traits{Operation::put_bucket_configuration, "PutBucketConfiguration", write, Repeat::no},
    Traits{Operation::delete_bucket_configuration, "DeleteBucketConfiguration", write, Repeat::no},
    Traits{Operation::delete_objects, "DeleteObjects", write, Repeat::no},
    Traits{Operation::post_object, "PostObject", write, Repeat::no},
    Traits{Operation::get_object, "GetObject", read, Repeat::yes},
    Traits{Operation::head_object, "HeadObject", read, Repeat::yes},
    Traits{Operation::get_object_acl, "GetObjectAcl", read, Repeat::yes},
    Traits{Operation::get_object_attributes, "GetObjectAttributes", read, Repeat::yes},
    Traits{Operation::get_object_legal_hold, "GetObjectLegalHold", read, Repeat::yes},
    Traits{Operation::get_object_retention, "GetObjectRetention", read, Repeat::yes},
    Traits{Operation::get_object_tagging, "GetObjectTagging", read, Repeat::yes},
    Traits{Operation::get_object_torrent, "GetObjectTorrent", read, Repeat::yes},
    Traits{Operation::list_parts, "ListParts", read, Repeat::yes},
    // A POST: its body would have to be sent again.
    Traits{Operation::select_object_content, "SelectObjectContent", read, Repeat::no},
    Traits{Operation::put_object, "PutObject", write, Repeat::no},
    Traits{Operation::copy_object, "CopyObject", write, Repeat::no},
    Traits{Operation::rename_object, "RenameObject", write, Repeat::no},
    Traits{Operation::delete_object, "DeleteObject", write, Repeat::no},
    Traits{Operation::put_object_acl, "PutObjectAcl", write, Repeat::no},
    Traits{Operation::put_object_legal_hold, "PutObjectLegalHold", write, Repeat::no},
    Traits{Operation::put_object_retention, "PutObjectRetention", write, Repeat::no},
    Traits{Operation::put_object_tagging, "PutObjectTagging", write, Repeat::no},
    Traits{Operation::delete_object_tagging, "DeleteObjectTagging", write, Repeat::no},
    Traits{Operation::restore_object, "RestoreObject", write, Repeat::no},
    Traits{Operation::create_multipart_upload, "CreateMultipartUpload", write, Repeat::no},
    Traits{Operation::upload_part, "UploadPart", write, Repeat::no},
    Traits{Operation::upload_part_copy, "UploadPartCopy", write, Repeat::no},
    Traits{Operation::complete_multipart_upload, "CompleteMultipartUpload", write, Repeat::no},
    Traits{Operation::abort_multipart_upload, "AbortMultipartUpload", write, Repeat::no},
    Traits{Operation::cors_preflight, "CorsPreflight", read, Repeat::yes},
    Traits{Operation::other, "Other", write, Repeat::no},
};

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < kTraits.size(); ++i) {
    if (static_cast<std::size_t>(kTraits[i].operation) != i)
      return false;
  }
  return kTraits.size() == static_cast<std::size_t>(Operation::other) + 1;
}
static_assert(is_in_order());

const Traits& traits(Operation operation) {
  const auto index = static_cast<std::size_t>(operation);
  ASSERT(index < kTraits.size());
  return kTraits[index];
}

bool has(Parameters query, std::string_view name) {
  return http::find(query, name) != nullptr;
}

bool mentions_form(const http::Headers& headers) {
  return std::any_of(headers.begin(), headers.end(), [](const auto& field) {
    return http::iequals(field.name, "content-type") &&
           http::to_lower(field.value).find("form-data") != std::string::npos;
  });
}

/// The sub-resources of a bucket that hold its configuration.
bool names_bucket_configuration(Parameters query) {
  constexpr std::array<std::string_view, 26> kNames{"accelerate",
                                                    "acl",
                                                    "analytics",
                                                    "cors",
                                                    "encryption",
                                                    "intelligent-tiering",
                                                    "inventory",
                                                    "lifecycle",
                                                    "location",
                                                    "logging",
                                                    "metadataConfiguration",
                                                    "metadataInventoryTable",
                                                    "metadataJournalTable",
                                                    "metadataTable",
                                                    "metrics",
                                                    "notification",
                                                    "object-lock",
                                                    "ownershipControls",
                                                    "policy",
                                                    "policyStatus",
                                                    "publicAccessBlock",
                                                    "replication",
                                                    "requestPayment",
                                                    "tagging",
                                                    "versioning",
                                                    "website"};
  return std::any_of(kNames.begin(), kNames.end(),
                     [query](std::string_view name) { return has(query, name); });
}

/// A sub-resource of an object and the operations on it.
struct SubResource {
  std::string_view name;
  Operation get, put, remove;
};
constexpr std::array kObjectSubResources{
    SubResource{"acl", Operation::get_object_acl, Operation::put_object_acl, Operation::other},
    SubResource{"attributes", Operation::get_object_attributes, Operation::other, Operation::other},
    SubResource{"legal-hold", Operation::get_object_legal_hold, Operation::put_object_legal_hold,
                Operation::other},
    SubResource{"retention", Operation::get_object_retention, Operation::put_object_retention,
                Operation::other},
    SubResource{"tagging", Operation::get_object_tagging, Operation::put_object_tagging,
                Operation::delete_object_tagging},
    SubResource{"torrent", Operation::get_object_torrent, Operation::other, Operation::other},
};

const SubResource* object_sub_resource(Parameters query) {
  for (const auto& each : kObjectSubResources) {
    if (has(query, each.name))
      return &each;
  }
  return nullptr;
}

Operation classify_service(std::string_view method) {
  return method == "GET" ? Operation::list_buckets : Operation::other;
}

Operation classify_bucket_get(Parameters query) {
  if (has(query, "session"))
    return Operation::create_session;
  if (has(query, "uploads"))
    return Operation::list_multipart_uploads;
  if (has(query, "versions"))
    return Operation::list_object_versions;
  if (names_bucket_configuration(query))
    return Operation::get_bucket_configuration;
  const auto* const list_type = http::find(query, "list-type");
  if (list_type == nullptr)
    return Operation::list_objects;
  return list_type->value == "2" ? Operation::list_objects_v2 : Operation::other;
}

Operation classify_bucket(std::string_view method, Parameters query, const http::Headers& headers) {
  if (method == "GET")
    return classify_bucket_get(query);
  if (method == "HEAD")
    return Operation::head_bucket;
  if (method == "PUT")
    return names_bucket_configuration(query) ? Operation::put_bucket_configuration
                                             : Operation::create_bucket;
  if (method == "DELETE")
    return names_bucket_configuration(query) ? Operation::delete_bucket_configuration
                                             : Operation::delete_bucket;
  if (method == "POST" && has(query, "delete"))
    return Operation::delete_objects;
  if (method == "POST" && mentions_form(headers))
    return Operation::post_object;
  return Operation::other;
}

Operation classify_object_put(Parameters query, const http::Headers& headers) {
  const bool is_copy = headers.contains("x-amz-copy-source");
  if (const auto* const sub_resource = object_sub_resource(query))
    return sub_resource->put;
  if (has(query, "renameObject"))
    return Operation::rename_object;
  if (has(query, "uploadId"))
    return is_copy ? Operation::upload_part_copy : Operation::upload_part;
  return is_copy ? Operation::copy_object : Operation::put_object;
}

Operation classify_object_post(Parameters query, const http::Headers& headers) {
  if (has(query, "uploads"))
    return Operation::create_multipart_upload;
  if (has(query, "uploadId"))
    return Operation::complete_multipart_upload;
  // All further sub-resources are a form's own business to servers that do not know them.
  if (mentions_form(headers))
    return Operation::post_object;
  if (has(query, "restore"))
    return Operation::restore_object;
  // Alone, "select" may be a form upload to who does not know it.
  if (has(query, "select") && has(query, "select-type"))
    return Operation::select_object_content;
  return Operation::other;
}

Operation classify_object(std::string_view method, Parameters query, const http::Headers& headers) {
  const auto* const sub_resource = object_sub_resource(query);
  if (method == "GET") {
    if (sub_resource != nullptr)
      return sub_resource->get;
    return has(query, "uploadId") ? Operation::list_parts : Operation::get_object;
  }
  if (method == "HEAD")
    return Operation::head_object;
  if (method == "PUT")
    return classify_object_put(query, headers);
  if (method == "POST")
    return classify_object_post(query, headers);
  if (method == "DELETE") {
    if (sub_resource != nullptr)
      return sub_resource->remove;
    return has(query, "uploadId") ? Operation::abort_multipart_upload : Operation::delete_object;
  }
  return Operation::other;
}

bool is_plain_parameter(std::string_view name) {
  // As presigned URLs spell them; then the fields that SDKs move into the query and that leave the
  // object's bytes alone.
  constexpr std::array<std::string_view, 14> kExact{"versionId",
                                                    "partNumber",
                                                    "x-id",
                                                    "AWSAccessKeyId",
                                                    "Signature",
                                                    "Expires",
                                                    "X-Amz-Algorithm",
                                                    "X-Amz-Credential",
                                                    "X-Amz-Date",
                                                    "X-Amz-Expires",
                                                    "X-Amz-SignedHeaders",
                                                    "X-Amz-Signature",
                                                    "X-Amz-Security-Token",
                                                    "X-Amz-Content-Sha256"};
  constexpr std::array<std::string_view, 4> kMovedFields{"x-amz-checksum-mode",
                                                         "x-amz-expected-bucket-owner",
                                                         "x-amz-request-payer", "x-amz-user-agent"};
  constexpr std::array<std::string_view, 6> kResponse{
      "response-cache-control",    "response-content-disposition", "response-content-encoding",
      "response-content-language", "response-content-type",        "response-expires"};
  const auto is_same = [name](std::string_view each) { return each == name; };
  const auto is_same_field = [name](std::string_view each) { return http::iequals(each, name); };
  return std::any_of(kExact.begin(), kExact.end(), is_same) ||
         std::any_of(kResponse.begin(), kResponse.end(), is_same) ||
         std::any_of(kMovedFields.begin(), kMovedFields.end(), is_same_field);
}

}  // namespace

Operation classify(std::string_view method, const Address& address, Parameters query,
                   const http::Headers& headers) {
  if (method == "OPTIONS")
    return Operation::cors_preflight;
  if (address.is_object())
    return classify_object(method, query, headers);
  if (address.bucket.empty())
    return classify_service(method);
  return classify_bucket(method, query, headers);
}

bool is_form_post(const http::RequestHead& request) {
  return request.method == "POST" && mentions_form(request.headers);
}

std::string_view name(Operation operation) {
  return traits(operation).name;
}

bool is_write(Operation operation) {
  return traits(operation).effect == Effect::write;
}

bool is_repeatable(Operation operation) {
  return traits(operation).repeat == Repeat::yes;
}

bool is_plain_object_query(Parameters query) {
  return std::all_of(query.begin(), query.end(), [](const http::QueryParameter& parameter) {
    return is_plain_parameter(parameter.name);
  });
}

bool is_plain_get_object(std::string_view method, const Address& address, Parameters query) {
  return method == "GET" && address.is_object() && is_plain_object_query(query);
}

}  // namespace forebay::s3
