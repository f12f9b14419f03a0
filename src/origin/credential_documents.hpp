#pragma once
// The forms in which services and files hand out key pairs. Pure; no message quotes a value.
#include <forebay/base/units.hpp>
#include <forebay/s3/sigv4.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <boost/outcome/basic_result.hpp>
#include <boost/outcome/policy/all_narrow.hpp>

namespace forebay::origin {

/// A key pair that ends.
struct IssuedCredential {
  s3::Credential credential;
  std::chrono::sys_seconds expires;
};

/// Why there is no key pair, for the log.
struct Problem {
  std::string text;
};

/// A value, or why there is none. `[[nodiscard]]`; works with TRY among functions of its own kind.
template <class T>
using Fetched =
    BOOST_OUTCOME_V2_NAMESPACE::basic_result<T, Problem,
                                             BOOST_OUTCOME_V2_NAMESPACE::policy::all_narrow>;

/// What an answer may hold.
inline constexpr std::size_t kCredentialDocumentSizeMax = 64 * KiB;

/// Problem where the pair cannot be signed with or sent in a field.
Fetched<s3::Credential> usable(s3::Credential credential);

/// The pair of `profile` in a shared credentials file: "[profile]" and "name = value". Whole lines
/// are comments after # or ;. Of a name that is given twice the last counts.
Fetched<s3::Credential> parse_profile(std::string_view text, std::string_view profile);

/// The answer to AssumeRoleWithWebIdentity.
Fetched<IssuedCredential> parse_sts_answer(std::string_view xml);
/// The <Code> of an error of the service, such as "AccessDenied"; "" where it has none.
std::string sts_error_code(std::string_view xml);

/// The answer of a container's endpoint or of the instance metadata.
Fetched<IssuedCredential> parse_json_answer(std::string_view json);

/// "2014-10-24T23:00:23Z", with or without a fraction.
std::optional<std::chrono::sys_seconds> parse_iso8601(std::string_view text);

}  // namespace forebay::origin
