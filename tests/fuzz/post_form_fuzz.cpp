// Forms of browser uploads: the same fields however much of the file has come, and a policy signed
// anew is one that verifies. Input: the boundary in a line, then the body.
#include "entry.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/s3/post_form.hpp>

namespace forebay::fuzz {
namespace {

s3::Outcome<std::optional<s3::PostForm>> parse(std::string_view content_type,
                                               std::string_view body) {
  TRY(s3::PostFormParser parser, s3::PostFormParser::create(content_type));
  // In two pieces, the first of which is looked at twice.
  TRY(const bool early, parser.feed(body.substr(0, body.size() / 3)));
  TRY(const bool complete, early ? s3::Outcome<bool>{true} : parser.feed(body));
  return complete ? std::optional{parser.take()} : std::nullopt;
}

void check_form(const s3::PostForm& form, std::string_view body, std::string_view content_type) {
  ASSERT(form.file_part <= body.size() && form.file_part <= s3::PostForm::kSizeMax);
  for (const auto& field : form.fields) {
    ASSERT(field.begin + field.value.size() <= form.file_part);
    ASSERT(body.substr(field.begin, field.value.size()) == field.value);
    ASSERT(form.find(field.name) != nullptr);
  }
  const auto authorization = s3::post_authorization(form);
  if (!authorization || authorization.value().kind == s3::PostAuthorization::Kind::none)
    return;
  ASSERT(s3::verify_post(authorization.value(), "a secret that no seed is signed with"));

  const s3::Credential own{"AKID", "another secret", ""};
  const auto anew = s3::resign_post(form, body, authorization.value(), own, "us-east-1");
  if (!anew)
    return;
  const std::string whole = anew.value() + std::string{body.substr(form.file_part)};
  const auto again = parse(content_type, whole);
  ASSERT(again && again.value());
  const auto signed_anew = s3::post_authorization(*again.value());
  ASSERT(signed_anew && signed_anew.value().access_key == own.access_key);
  ASSERT(!s3::verify_post(signed_anew.value(), own.secret_key));
}

}  // namespace

void check(std::string_view input) {
  const std::string content_type = "multipart/form-data; boundary=" + std::string{take_line(input)};
  const auto form = parse(content_type, input);
  if (!form)
    return;
  const auto half = parse(content_type, input.substr(0, input.size() / 2));
  ASSERT(half);
  ASSERT(!half.value() || (form.value() && half.value()->file_part == form.value()->file_part));
  if (form.value())
    check_form(*form.value(), input, content_type);
}

}  // namespace forebay::fuzz
