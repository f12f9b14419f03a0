#pragma once
// Browser-based uploads: the form fields in front of the file, and the policy that authorises them.
// Amazon S3 API Reference, "Browser-Based Uploads Using POST". Pure.
#include <forebay/s3/error.hpp>
#include <forebay/s3/sigv4.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace forebay::s3 {

/// What a multipart/form-data body (RFC 7578) says before its file begins.
struct PostForm {
  /// Fields and their boundaries may be so long; S3 allows 20 KB.
  static constexpr std::size_t kSizeMax = 64 * 1024;

  struct Field {
    std::string name;   ///< In lower case.
    std::string value;  ///< As sent.
    std::size_t begin;  ///< Where in the body the value stands.
  };

  std::vector<Field> fields;
  std::string boundary;
  /// Where the part of the file begins, or the body's end if there is none.
  std::size_t file_part = 0;

  /// The first field of that name, or null.
  const Field* find(std::string_view name) const;
};

/// Reads the form in the first bytes of a body with that Content-Type. nullopt where its file has
/// not begun yet. malformed_post_request for what is no form, or too long.
Outcome<std::optional<PostForm>> parse_post_form(std::string_view content_type,
                                                 std::string_view body);

/// Who signed the policy of a form.
struct PostAuthorization {
  enum class Kind { none, v2, v4 };

  Kind kind = Kind::none;
  std::string access_key;
  std::string date;    ///< Of the scope; V4.
  std::string region;  ///< Of the scope; V4.
  std::string signature;
  std::string policy;  ///< In base64.
};
/// `none` for a form without a policy: an anonymous upload.
Outcome<PostAuthorization> post_authorization(const PostForm& form);

/// Proves that the holder of `secret_key` signed the policy. Whether the form fits it, and whether
/// it has expired, is the origin's to say.
std::optional<Failure> verify_post(const PostAuthorization& authorization,
                                   std::string_view secret_key);

/// `body` up to form.file_part, its policy signed anew with this credential: by the same version of
/// the signature, the fields and conditions that name the key replaced. malformed_policy where the
/// policy is no JSON object with conditions.
Outcome<std::string> resign_post(const PostForm& form, std::string_view body,
                                 const PostAuthorization& authorization,
                                 const Credential& credential, std::string_view region);

}  // namespace forebay::s3
