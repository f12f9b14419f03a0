#pragma once
// The text of a credentials file (auth.credentials_file) to callers' keys.
#include <forebay/base/result.hpp>
#include <forebay/origin/credentials.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace forebay::config {

/// An origin::CredentialLoader. Errc::invalid_config, each error logged with file, line and column.
/// Neither values nor unknown names are ever printed: a slip of the pen may have put a secret
/// there.
Result<origin::CallerKeys> load_credentials(const std::string& path);

struct ParsedCredentials {
  origin::CallerKeys keys;  ///< To be used only where `errors` is empty.
  std::vector<std::string> errors;
};

/// The same from text, without the log; `name` is what errors call the file.
ParsedCredentials parse_credentials(std::string_view text, const std::string& name);

}  // namespace forebay::config
