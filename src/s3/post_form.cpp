#include "s3/sigv4_canonical.hpp"

#include <forebay/s3/checksum.hpp>
#include <forebay/s3/post_form.hpp>
#include <forebay/s3/sigv2.hpp>

#include <algorithm>
#include <map>
#include <utility>

#include <boost/json.hpp>
#include <openssl/evp.h>

namespace forebay::s3 {
namespace {

namespace json = boost::json;
using BOOST_OUTCOME_V2_NAMESPACE::success;

constexpr std::string_view kLineEnd = "\r\n";

Failure malformed() {
  return Failure{ErrorCode::malformed_post_request};
}

/// The value of a parameter of a header, quoted or not; "" where there is none.
std::string parameter(std::string_view header, std::string_view name) {
  while (!header.empty()) {
    const auto end = header.find(';');
    auto piece = header.substr(0, end);
    header.remove_prefix(end == std::string_view::npos ? header.size() : end + 1);
    piece.remove_prefix(std::min(piece.find_first_not_of(' '), piece.size()));
    const auto equals = piece.find('=');
    if (equals == std::string_view::npos || !http::iequals(piece.substr(0, equals), name))
      continue;
    auto value = piece.substr(equals + 1);
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
      value = value.substr(1, value.size() - 2);
    return std::string{value};
  }
  return {};
}

/// The name that a part's head gives it.
std::string part_name(std::string_view head) {
  constexpr std::string_view kDisposition = "content-disposition:";
  while (!head.empty()) {
    const auto end = head.find(kLineEnd);
    const auto line = head.substr(0, end);
    head.remove_prefix(end == std::string_view::npos ? head.size() : end + kLineEnd.size());
    if (http::iequals(line.substr(0, kDisposition.size()), kDisposition))
      return http::to_lower(parameter(line.substr(kDisposition.size()), "name"));
  }
  return {};
}

std::optional<std::string> decode_base64(std::string_view text) {
  std::string bytes(text.size() / 4 * 3 + 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  if (size < 0 || text.size() % 4 != 0)
    return std::nullopt;
  const auto padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  bytes.resize(static_cast<std::size_t>(size - padding));
  return bytes;
}

std::string value_of(const PostForm& form, std::string_view name) {
  const auto* const field = form.find(name);
  return field == nullptr ? std::string{} : field->value;
}

using Replacements = std::map<std::string, std::string>;

/// Makes a condition on a replaced field ask for the field's new value. Returns its field, or "".
std::string replace_condition(json::value& condition, const Replacements& replacements) {
  if (auto* const object = condition.if_object(); object != nullptr && object->size() == 1) {
    const std::string name = http::to_lower(std::string{object->begin()->key()});
    if (const auto found = replacements.find(name); found != replacements.end()) {
      object->begin()->value() = found->second;
      return name;
    }
  }
  if (auto* const list = condition.if_array();
      list != nullptr && list->size() == 3 && (*list)[1].is_string()) {
    const std::string_view named{(*list)[1].get_string()};
    const std::string name = http::to_lower(named.substr(std::min<std::size_t>(1, named.size())));
    if (const auto found = replacements.find(name); found != replacements.end()) {
      (*list)[0] = "eq";
      (*list)[2] = found->second;
      return name;
    }
  }
  return {};
}

Outcome<std::string> rewrite_policy(const std::string& policy, const Replacements& replacements) {
  const auto text = decode_base64(policy);
  if (!text)
    return Failure{ErrorCode::invalid_policy_document};
  json::error_code ec;
  json::value document = json::parse(*text, ec);
  if (ec || !document.is_object() || !document.get_object().contains("conditions") ||
      !document.get_object()["conditions"].is_array())
    return Failure{ErrorCode::invalid_policy_document};
  json::array& conditions = document.get_object()["conditions"].get_array();
  Replacements missing = replacements;
  for (json::value& condition : conditions)
    missing.erase(replace_condition(condition, replacements));
  // Every field of a form must be in its policy.
  for (const auto& [name, value] : missing)
    conditions.push_back(json::object{{name, value}});
  const std::string rewritten = json::serialize(document);
  return to_base64(std::as_bytes(std::span{rewritten}));
}

/// The form's bytes with these values in place of its own; fields it lacks are added before the
/// file.
std::string replace_fields(const PostForm& form, std::string_view body, Replacements values) {
  std::string result;
  std::size_t copied = 0;
  for (const auto& field : form.fields) {
    const auto found = values.find(field.name);
    if (found == values.end())
      continue;
    result.append(body.substr(copied, field.begin - copied)).append(found->second);
    copied = field.begin + field.value.size();
    values.erase(found);
  }
  result.append(body.substr(copied, form.file_part - copied));
  for (const auto& [name, value] : values)
    result.append("--")
        .append(form.boundary)
        .append("\r\nContent-Disposition: form-data; name=\"")
        .append(name)
        .append("\"\r\n\r\n")
        .append(value)
        .append(kLineEnd);
  return result;
}

}  // namespace

const PostForm::Field* PostForm::find(std::string_view name) const {
  const auto found = std::find_if(fields.begin(), fields.end(),
                                  [name](const Field& field) { return field.name == name; });
  return found == fields.end() ? nullptr : &*found;
}

Outcome<std::optional<PostForm>> parse_post_form(std::string_view content_type,
                                                 std::string_view body) {
  constexpr std::size_t kBoundaryMax = 70;  // RFC 2046 section 5.1.1
  PostForm form;
  form.boundary = parameter(content_type, "boundary");
  if (form.boundary.empty() || form.boundary.size() > kBoundaryMax)
    return malformed();
  const auto incomplete = [body]() -> Outcome<std::optional<PostForm>> {
    if (body.size() >= PostForm::kSizeMax)
      return malformed();
    return std::optional<PostForm>{};
  };
  const std::string opening = "--" + form.boundary;
  const std::string closing = "\r\n" + opening;
  if (body.size() < opening.size())
    return opening.starts_with(body) ? incomplete() : malformed();
  if (!body.starts_with(opening))
    return malformed();
  for (std::size_t part = 0;;) {
    const auto after = part + opening.size();
    if (body.substr(after).starts_with("--")) {
      form.file_part = part;
      return std::optional{std::move(form)};
    }
    const auto head_end = body.find("\r\n\r\n", after);
    if (head_end == std::string_view::npos)
      return incomplete();
    const auto name = part_name(body.substr(after, head_end - after));
    if (name.empty())
      return malformed();
    if (name == "file") {
      form.file_part = part;
      return std::optional{std::move(form)};
    }
    const auto begin = head_end + 4;
    const auto end = body.find(closing, begin);
    if (end == std::string_view::npos || body.size() < end + closing.size() + 2)
      return incomplete();
    form.fields.push_back({name, std::string{body.substr(begin, end - begin)}, begin});
    part = end + kLineEnd.size();
  }
}

Outcome<PostAuthorization> post_authorization(const PostForm& form) {
  PostAuthorization result;
  result.policy = value_of(form, "policy");
  if (result.policy.empty())
    return result;
  if (form.find("x-amz-credential") == nullptr) {
    result.kind = PostAuthorization::Kind::v2;
    result.access_key = value_of(form, "awsaccesskeyid");
    result.signature = value_of(form, "signature");
    if (result.access_key.empty() || result.signature.empty())
      return Failure{ErrorCode::invalid_argument,
                     "Bucket POST must contain a field named 'AWSAccessKeyId'.  If it is "
                     "specified, please check the order of the fields."};
    return result;
  }
  result.kind = PostAuthorization::Kind::v4;
  if (value_of(form, "x-amz-algorithm") != kAlgorithm)
    return Failure{ErrorCode::invalid_argument,
                   "X-Amz-Algorithm only supports "
                   "\"AWS4-HMAC-SHA256\""};
  TRY(CredentialScope scope, parse_credential_scope(value_of(form, "x-amz-credential")));
  result.access_key = std::move(scope.access_key);
  result.date = std::move(scope.date);
  result.region = std::move(scope.region);
  result.signature = value_of(form, "x-amz-signature");
  return result;
}

std::optional<Failure> verify_post(const PostAuthorization& authorization,
                                   std::string_view secret_key) {
  const std::string expected =
      authorization.kind == PostAuthorization::Kind::v2
          ? signature_v2(secret_key, authorization.policy)
          : signature(secret_key, authorization.date, authorization.region, authorization.policy);
  if (is_equal_in_constant_time(expected, authorization.signature))
    return std::nullopt;
  return Failure{ErrorCode::signature_does_not_match,
                 std::string{info(ErrorCode::signature_does_not_match).message},
                 {{"AWSAccessKeyId", authorization.access_key},
                  {"StringToSign", authorization.policy},
                  {"SignatureProvided", authorization.signature}}};
}

Outcome<std::string> resign_post(const PostForm& form, std::string_view body,
                                 const PostAuthorization& authorization,
                                 const Credential& credential, std::string_view region) {
  const bool is_v4 = authorization.kind == PostAuthorization::Kind::v4;
  Replacements conditions;
  if (is_v4)
    conditions["x-amz-credential"] =
        credential.access_key + "/" + credential_scope(authorization.date, region);
  if (!credential.session_token.empty())
    conditions["x-amz-security-token"] = credential.session_token.str();
  std::string policy = authorization.policy;
  if (!conditions.empty()) {
    TRY(policy, rewrite_policy(policy, conditions));
  }
  Replacements values = std::move(conditions);
  if (is_v4) {
    values["x-amz-signature"] =
        signature(credential.secret_key, authorization.date, region, policy);
  } else {
    values["awsaccesskeyid"] = credential.access_key;
    values["signature"] = signature_v2(credential.secret_key, policy);
  }
  values["policy"] = std::move(policy);
  return replace_fields(form, body, std::move(values));
}

}  // namespace forebay::s3
