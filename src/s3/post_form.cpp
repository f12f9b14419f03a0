#include "s3/sigv4_canonical.hpp"
#include "s3/text.hpp"

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

bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::string_view trim_spaces(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

/// The parameters behind a header's first ';', quotes taken off. nullopt for anything but names of
/// `known`, each once, each with a value: servers make of one name several (RFC 2231's "name*0"),
/// take the first or the last of two, or look for ';' within quotes.
std::optional<std::map<std::string, std::string>> parameters(
    std::string_view header, std::initializer_list<std::string_view> known) {
  std::map<std::string, std::string> result;
  auto end = header.find(';');
  while (end != std::string_view::npos) {
    header.remove_prefix(end + 1);
    end = header.find(';');
    const auto piece = trim_spaces(header.substr(0, end));
    const auto equals = piece.find('=');
    if (equals == std::string_view::npos)
      return std::nullopt;
    std::string name = http::to_lower(piece.substr(0, equals));
    auto value = piece.substr(equals + 1);
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
      value = value.substr(1, value.size() - 2);
    if (std::find(known.begin(), known.end(), name) == known.end() || has_control(value) ||
        !result.emplace(std::move(name), value).second)
      return std::nullopt;
  }
  return result;
}

/// What fields of forms are called. Metadata keys may hold more in S3, but no browser needs it.
bool is_field_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return is_alnum(c) || c == '-' || c == '_' || c == '.';
  });
}

/// The name that a Content-Disposition gives a part, in lower case; "" where it is not plain.
std::string name_in(std::string_view disposition) {
  constexpr std::string_view kType = "form-data";
  const auto found = parameters(disposition, {"name", "filename", "filename*"});
  if (!found || !http::iequals(trim_spaces(disposition.substr(0, disposition.find(';'))), kType))
    return {};
  const auto name = found->find("name");
  return name == found->end() || !is_field_name(name->second) ? std::string{}
                                                              : http::to_lower(name->second);
}

/// The name that a part's head (lines, each behind its line's end) gives it; "" where it gives none
/// or several, or where a line is anything but a field.
std::string part_name(std::string_view head) {
  constexpr std::string_view kDisposition = "content-disposition";
  std::string name;
  while (head.starts_with(kLineEnd)) {
    head.remove_prefix(kLineEnd.size());
    const auto end = std::min(head.find(kLineEnd), head.size());
    const auto line = head.substr(0, end);
    head.remove_prefix(end);
    const auto field = line.substr(0, line.find(':'));
    const bool is_field =
        field.size() < line.size() && !field.empty() && !has_control(line) &&
        std::all_of(field.begin(), field.end(), [](char c) { return is_alnum(c) || c == '-'; });
    if (!is_field)
      return {};
    if (!http::iequals(field, kDisposition))
      continue;
    if (!name.empty())
      return {};
    name = name_in(line.substr(field.size() + 1));
    if (name.empty())
      return {};
  }
  return head.empty() ? name : std::string{};
}

constexpr std::string_view kBoundaryMarks = "'()+_,-./:=?";

/// What RFC 2046 (section 5.1.1) allows in a boundary, but for the blank.
bool is_boundary(std::string_view text) {
  constexpr std::size_t kBoundaryMax = 70;
  return !text.empty() && text.size() <= kBoundaryMax &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_alnum(c) || kBoundaryMarks.find(c) != std::string_view::npos;
         });
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

PostFormParser::PostFormParser(std::string boundary) : opening_{"--" + boundary} {
  form_.boundary = std::move(boundary);
}

Outcome<PostFormParser> PostFormParser::create(std::string_view content_type) {
  constexpr std::string_view kType = "multipart/form-data";
  const auto found = parameters(content_type, {"boundary", "charset"});
  if (!found || !http::iequals(trim_spaces(content_type.substr(0, content_type.find(';'))), kType))
    return malformed();
  const auto boundary = found->find("boundary");
  if (boundary == found->end() || !is_boundary(boundary->second))
    return malformed();
  return PostFormParser{boundary->second};
}

Outcome<bool> PostFormParser::feed(std::string_view body) {
  while (step_ != Step::done) {
    TRY(const Step next, step_ == Step::part ? begin_part(body) : end_value(body));
    if (next == Step::incomplete) {
      if (body.size() >= PostForm::kSizeMax)
        return malformed();
      return false;
    }
    step_ = next;
  }
  form_.file_part = part_;
  return true;
}

/// Reads a part's boundary and head.
Outcome<PostFormParser::Step> PostFormParser::begin_part(std::string_view body) {
  constexpr std::string_view kHeadEnd = "\r\n\r\n";
  const auto text = body.substr(part_);
  if (text.size() < opening_.size() + kLineEnd.size())
    return opening_.starts_with(text.substr(0, opening_.size())) ? Outcome<Step>{Step::incomplete}
                                                                 : Outcome<Step>{malformed()};
  const auto after = text.substr(opening_.size());
  if (!text.starts_with(opening_))
    return malformed();
  if (after.starts_with("--"))
    return Step::done;
  if (!after.starts_with(kLineEnd))
    return malformed();
  const auto from = std::max(searched_, part_ + opening_.size());
  const auto head_end = body.find(kHeadEnd, from);
  if (head_end == std::string_view::npos) {
    searched_ = std::max(from, body.size() - (kHeadEnd.size() - 1));
    return Step::incomplete;
  }
  const auto head_begin = part_ + opening_.size();
  const auto head = body.substr(head_begin, head_end - head_begin);
  name_ = part_name(head);
  if (name_.empty() || head.find(opening_) != std::string_view::npos)
    return malformed();
  if (name_ == "file")
    return Step::done;
  begin_ = head_end + kHeadEnd.size();
  searched_ = begin_;
  return Step::value;
}

/// Reads a field's value up to the next part's boundary.
Outcome<PostFormParser::Step> PostFormParser::end_value(std::string_view body) {
  const auto found = body.find(opening_, searched_);
  if (found == std::string_view::npos) {
    searched_ = std::max(begin_, body.size() - std::min(body.size(), opening_.size() - 1));
    return Step::incomplete;
  }
  // In the middle of a line it is a boundary to servers that do not ask for one before it.
  if (found < begin_ + kLineEnd.size() || body.substr(found - kLineEnd.size(), 2) != kLineEnd)
    return malformed();
  TRY(add_field(body.substr(begin_, found - kLineEnd.size() - begin_)));
  part_ = found;
  searched_ = found;
  return Step::part;
}

Outcome<void> PostFormParser::add_field(std::string_view value) {
  constexpr std::size_t kFieldsMax = 256;
  // MinIO's own fields would choose the ETag and date of what is stored.
  if (form_.find(name_) != nullptr || form_.fields.size() == kFieldsMax ||
      name_.starts_with("x-minio-"))
    return malformed();
  form_.fields.push_back({std::move(name_), std::string{value}, begin_});
  return success();
}

Outcome<PostAuthorization> post_authorization(const PostForm& form) {
  const auto has_any = [&form](std::initializer_list<std::string_view> names) {
    return std::any_of(names.begin(), names.end(),
                       [&form](std::string_view name) { return form.find(name) != nullptr; });
  };
  const bool has_v2 = has_any({"awsaccesskeyid", "signature"});
  const bool has_v4 = has_any({"x-amz-credential", "x-amz-signature", "x-amz-algorithm"});
  PostAuthorization result;
  result.policy = value_of(form, "policy");
  if (result.policy.empty() && !has_v2 && !has_v4)
    return result;
  // Which of the two counts, and whether one does without a policy, servers decide as they like.
  if (result.policy.empty() || (has_v2 && has_v4))
    return Failure{ErrorCode::invalid_argument,
                   "A form is authorised by one policy and one signature."};
  if (!has_v4) {
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
