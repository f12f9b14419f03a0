// The callers' keys: a file without errors has whole pairs, and no error quotes a secret.
#include "entry.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/config/credentials.hpp>

namespace forebay::fuzz {

void check(std::string_view input) {
  constexpr std::string_view kSecret = "HUSH";  // In the seeds, wherever a value stands.
  const auto parsed = config::parse_credentials(input, "f.yaml");
  for (const std::string& error : parsed.errors) {
    ASSERT(error.starts_with("f.yaml:"));
    ASSERT(error.find(kSecret) == std::string::npos);
  }
  if (!parsed.errors.empty())
    return;
  for (const auto& [access_key, key] : parsed.keys) {
    ASSERT(!access_key.empty() && key->access_key == access_key);
    ASSERT(!key->secret_key.empty());
    ASSERT(!key->origin_access_key.empty() && !key->origin_secret_key.empty());
  }
}

}  // namespace forebay::fuzz
