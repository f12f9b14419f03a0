#pragma once
// Browser-based uploads: the form fields in front of the file, and the policy that authorises them.
// Amazon S3 API Reference, "Browser-Based Uploads Using POST". Pure.
#include <forebay/s3/error.hpp>
#include <forebay/s3/sigv4.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
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

/// Reads the form in the first bytes of a body, once, however often more of it comes. Strict, for
/// other servers must find the same fields: one boundary, which stands nowhere but between parts;
/// heads of plain lines without control characters; one Content-Disposition of name and filename
/// in each part; names of letters, digits and "-_."; no field twice.
class PostFormParser {
 public:
  /// malformed_post_request where the Content-Type is not exactly a form's.
  static Outcome<PostFormParser> create(std::string_view content_type);

  /// `body` is all that has come so far, from its first byte. True once the file has begun or the
  /// form has ended; false where more must come. malformed_post_request for what is no form, or too
  /// long.
  Outcome<bool> feed(std::string_view body);
  /// After feed() returned true.
  PostForm take() { return std::move(form_); }

 private:
  explicit PostFormParser(std::string boundary);

  enum class Step { part, value, incomplete, done };
  Outcome<Step> begin_part(std::string_view body);
  Outcome<Step> end_value(std::string_view body);
  Outcome<void> add_field(std::string_view value);

  PostForm form_;
  std::string opening_;  ///< "--" and the boundary.
  Step step_ = Step::part;
  std::size_t part_ = 0;      ///< Where the part in hand begins.
  std::size_t searched_ = 0;  ///< Nothing before this is looked at again.
  std::string name_;          ///< Of the part in hand, and where its value begins.
  std::size_t begin_ = 0;
};

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
/// `none` for a form without a policy: an anonymous upload. invalid_argument for a form that
/// carries parts of an authorisation without one, or of two.
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
