// What hands out the node's own key pair: XML of a token service, JSON of a container's endpoint or
// of the instance, and the profile of a file. All read the same input.
#include "entry.hpp"
#include "origin/credential_documents.hpp"

#include <forebay/base/assert.hpp>

namespace forebay::fuzz {
namespace {

/// Fit to sign with and to send in a field.
void check_pair(const s3::Credential& pair) {
  ASSERT(!pair.access_key.empty() && !pair.secret_key.empty());
  for (const std::string& text : {pair.access_key, pair.secret_key.str(), pair.session_token.str()})
    ASSERT(std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; }));
}

void check_profile(std::string_view input) {
  const auto profile = origin::parse_profile(input, "default");
  if (!profile)
    return;
  const s3::Credential& pair = profile.value();
  check_pair(pair);
  const std::string text = "[default]\naws_access_key_id=" + pair.access_key +
                           "\naws_secret_access_key=" + pair.secret_key.str() +
                           "\naws_session_token=" + pair.session_token.str() + "\n";
  const auto again = origin::parse_profile(text, "default");
  ASSERT(again && again.value().access_key == pair.access_key);
  ASSERT(again.value().secret_key == pair.secret_key);
  ASSERT(again.value().session_token == pair.session_token);
}

}  // namespace

void check(std::string_view input) {
  if (const auto xml = origin::parse_sts_answer(input))
    check_pair(xml.value().credential);
  if (const auto json = origin::parse_json_answer(input))
    check_pair(json.value().credential);
  ASSERT(origin::sts_error_code(input).size() <= 64);
  check_profile(input);
}

}  // namespace forebay::fuzz
