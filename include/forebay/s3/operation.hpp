#pragma once
// What a request asks for, in the words of the Amazon S3 API Reference ("Actions"). Pure.
#include <forebay/http/message.hpp>
#include <forebay/http/uri.hpp>
#include <forebay/s3/address.hpp>

#include <span>
#include <string_view>

namespace forebay::s3 {

enum class Operation {
  // Service
  list_buckets,
  // Bucket, reads
  head_bucket,
  list_objects,
  list_objects_v2,
  list_object_versions,
  list_multipart_uploads,
  get_bucket_configuration,  ///< Any other GET with a sub-resource: acl, cors, location, policy,
                             ///< ...
  // Bucket, writes
  create_bucket,
  delete_bucket,
  create_session,
  put_bucket_configuration,
  delete_bucket_configuration,
  delete_objects,
  post_object,
  // Object, reads
  get_object,
  head_object,
  get_object_acl,
  get_object_attributes,
  get_object_legal_hold,
  get_object_retention,
  get_object_tagging,
  get_object_torrent,
  list_parts,
  select_object_content,
  // Object, writes
  put_object,
  copy_object,
  rename_object,
  delete_object,
  put_object_acl,
  put_object_legal_hold,
  put_object_retention,
  put_object_tagging,
  delete_object_tagging,
  restore_object,
  create_multipart_upload,
  upload_part,
  upload_part_copy,
  complete_multipart_upload,
  abort_multipart_upload,
  // Neither
  cors_preflight,
  other,  ///< Unknown; treated as a write.
};

/// Whether some server takes the request for a browser's form, whose policy authorises it: a POST
/// whose Content-Type mentions form-data, wherever and in whatever case.
bool is_form_post(const http::RequestHead& request);

/// Always an answer; what is not known is `other`.
Operation classify(std::string_view method, const Address& address,
                   std::span<const http::QueryParameter> query, const http::Headers& headers);

/// "GetObject"; for logs and metrics. Static storage.
std::string_view name(Operation operation);

/// True where a read-only caller must be refused.
bool is_write(Operation operation);

/// True where the request may be sent again although the first attempt may have arrived: reads by
/// GET and HEAD, which have no body.
bool is_repeatable(Operation operation);

/// True for parameters that leave a GET or HEAD of an object what it is: versionId, partNumber,
/// response-*, x-id, the parameters of a presigned URL (SigV4 and SigV2), and those x-amz-* a
/// presigned URL may carry in place of a field and that do not change the bytes. Any other, a
/// customer key for encryption among them, makes it false: such a request is forwarded as it is.
bool is_plain_object_query(std::span<const http::QueryParameter> query);

/// A GET of an object with nothing but plain parameters: what the read path may answer.
bool is_plain_get_object(std::string_view method, const Address& address,
                         std::span<const http::QueryParameter> query);

}  // namespace forebay::s3
