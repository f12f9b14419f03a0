#include "origin/credential_documents.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/http/message.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <new>
#include <utility>

#include <boost/json/memory_resource.hpp>
#include <boost/json/parser.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>
#include <pugixml.hpp>
#include <string.h>

namespace forebay::origin {
namespace {

constexpr std::string_view kBlank = " \t\r";

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos)
    return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

/// Cuts the first line off `rest`, without its end.
std::string_view take_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return line;
}

struct Form {
  std::string access_key;
  Secret secret_key;
  Secret session_token;
  std::string expiration;
};

Fetched<IssuedCredential> issued(Form form) {
  const auto expires = parse_iso8601(form.expiration);
  if (!expires)
    return Problem{"the answer has no usable Expiration"};
  TRY(auto credential, usable({std::move(form.access_key), std::move(form.secret_key),
                               std::move(form.session_token)}));
  return IssuedCredential{std::move(credential), *expires};
}

bool load_xml(std::string_view xml, pugi::xml_document& document) {
  return xml.size() <= kCredentialDocumentSizeMax &&
         document.load_buffer(xml.data(), xml.size(), pugi::parse_default, pugi::encoding_utf8);
}

/// Erases what a document leaves behind. The library gives memory back with another alignment than
/// it asked for, so only the one that any memory has is offered.
class WipingMemory final : public boost::json::memory_resource {
 private:
  void* do_allocate(std::size_t size, std::size_t alignment) override {
    ASSERT(alignment <= alignof(std::max_align_t));
    return ::operator new(size);
  }
  void do_deallocate(void* memory, std::size_t size, std::size_t /*alignment*/) override {
    ::explicit_bzero(memory, size);
    ::operator delete(memory);
  }
  bool do_is_equal(const boost::json::memory_resource& other) const noexcept override {
    return this == &other;
  }
};

/// Null, and `failed` set, where it is no JSON. `memory` must outlive what is returned.
boost::json::value parse_json(std::string_view json, WipingMemory& memory,
                              boost::json::error_code& failed) {
  boost::json::parser parser{&memory};
  parser.reset(&memory);
  parser.write(json.data(), json.size(), failed);
  return failed ? boost::json::value{} : parser.release();
}

/// "" where there is none, or it is no text.
std::string text_of(const boost::json::object& object, std::string_view name) {
  const auto* value = object.if_contains({name.data(), name.size()});
  const auto* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string{} : std::string{text->data(), text->size()};
}

}  // namespace

Fetched<s3::Credential> usable(s3::Credential credential) {
  constexpr std::size_t kKeySizeMax = 256;
  constexpr std::size_t kTokenSizeMax = 16 * KiB;
  if (credential.access_key.empty() || credential.secret_key.empty())
    return Problem{"access key or secret key is missing"};
  if (credential.access_key.size() > kKeySizeMax || credential.secret_key.size() > kKeySizeMax ||
      credential.session_token.size() > kTokenSizeMax)
    return Problem{"a key or the session token is too long"};
  if (!is_printable(credential.access_key) || !is_printable(credential.secret_key) ||
      !is_printable(credential.session_token))
    return Problem{"a key or the session token holds a blank or a character beyond ASCII"};
  return credential;
}

Fetched<s3::Credential> parse_profile(std::string_view text, std::string_view profile) {
  s3::Credential found;
  Secret access_key;
  const std::map<std::string, Secret*, std::less<>> members{
      {"aws_access_key_id", &access_key},
      {"aws_secret_access_key", &found.secret_key},
      {"aws_session_token", &found.session_token}};
  bool inside = false;
  bool seen = false;
  while (!text.empty()) {
    const std::string_view raw = take_line(text);
    const std::string_view line = trimmed(raw);
    if (line.empty() || line.front() == '#' || line.front() == ';')
      continue;
    if (line.front() == '[') {
      const auto end = line.find(']');
      inside = end != std::string_view::npos && trimmed(line.substr(1, end - 1)) == profile;
      seen = seen || inside;
      continue;
    }
    // An indented line belongs to the setting before it.
    const auto equals = line.find('=');
    if (!inside || equals == std::string_view::npos || kBlank.find(raw.front()) != kBlank.npos)
      continue;
    const auto member = members.find(http::to_lower(trimmed(line.substr(0, equals))));
    if (member != members.end())
      *member->second = trimmed(line.substr(equals + 1));
  }
  if (!seen)
    return Problem{fmt::format("no profile [{}]", profile)};
  found.access_key = access_key.str();
  return usable(std::move(found));
}

Fetched<IssuedCredential> parse_sts_answer(std::string_view xml) {
  // In place, so that the document's texts lie in what is erased at the end.
  std::string text{xml};
  const WipeAtEnd wiped{text};
  pugi::xml_document document;
  if (xml.size() > kCredentialDocumentSizeMax ||
      !document.load_buffer_inplace(text.data(), text.size(), pugi::parse_default,
                                    pugi::encoding_utf8))
    return Problem{"the answer is not XML"};
  const auto credentials = document.child("AssumeRoleWithWebIdentityResponse")
                               .child("AssumeRoleWithWebIdentityResult")
                               .child("Credentials");
  return issued({.access_key = credentials.child_value("AccessKeyId"),
                 .secret_key = credentials.child_value("SecretAccessKey"),
                 .session_token = credentials.child_value("SessionToken"),
                 .expiration = credentials.child_value("Expiration")});
}

std::string sts_error_code(std::string_view xml) {
  constexpr std::size_t kCodeMax = 64;
  pugi::xml_document document;
  if (!load_xml(xml, document))
    return {};
  const std::string code = document.child("ErrorResponse").child("Error").child_value("Code");
  const bool plain = std::all_of(code.begin(), code.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.';
  });
  return plain && code.size() <= kCodeMax ? code : std::string{};
}

Fetched<IssuedCredential> parse_json_answer(std::string_view json) {
  boost::json::error_code failed;
  WipingMemory memory;
  const auto document = json.size() <= kCredentialDocumentSizeMax ? parse_json(json, memory, failed)
                                                                  : boost::json::value{};
  const auto* object = document.if_object();
  if (failed || object == nullptr)
    return Problem{"the answer is not a JSON object"};
  if (const std::string code = text_of(*object, "Code"); !code.empty() && code != "Success")
    return Problem{"the answer's Code is not Success"};
  return issued({.access_key = text_of(*object, "AccessKeyId"),
                 .secret_key = text_of(*object, "SecretAccessKey"),
                 .session_token = text_of(*object, "Token"),
                 .expiration = text_of(*object, "Expiration")});
}

std::optional<std::chrono::sys_seconds> parse_iso8601(std::string_view text) {
  constexpr std::string_view kForm = "dddd-dd-ddTdd:dd:dd";
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.size() <= kForm.size() || text.back() != 'Z')
    return std::nullopt;
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    if (kForm[i] == 'd' ? !is_digit(text[i]) : text[i] != kForm[i])
      return std::nullopt;
  }
  const std::string_view fraction = text.substr(kForm.size(), text.size() - kForm.size() - 1);
  if (!fraction.empty() && (fraction.size() < 2 || fraction.front() != '.' ||
                            !std::all_of(fraction.begin() + 1, fraction.end(), is_digit)))
    return std::nullopt;
  const auto number = [text](std::size_t at, std::size_t count) {
    int value = 0;
    for (const char c : text.substr(at, count))
      value = value * 10 + (c - '0');
    return value;
  };
  const std::chrono::year_month_day day{std::chrono::year{number(0, 4)},
                                        std::chrono::month{static_cast<unsigned>(number(5, 2))},
                                        std::chrono::day{static_cast<unsigned>(number(8, 2))}};
  const int hour = number(11, 2);
  const int minute = number(14, 2);
  const int second = number(17, 2);
  if (!day.ok() || hour > 23 || minute > 59 || second > 60)
    return std::nullopt;
  return std::chrono::sys_days{day} + std::chrono::hours{hour} + std::chrono::minutes{minute} +
         std::chrono::seconds{second};
}

}  // namespace forebay::origin
