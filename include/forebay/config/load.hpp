#pragma once
// A configuration file and the environment, checked against the schema: all errors, not the first.
#include <forebay/config/config.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace forebay::config {

/// Variables of the environment by name.
using Environment = std::map<std::string, std::string>;

struct Loaded {
  Config config;  ///< To be used only where `errors` is empty.
  /// "file:line:column: key: what is wrong; allowed: ...", or the variable's name instead of the
  /// place. Lines and columns count from 1.
  std::vector<std::string> errors;
  std::vector<std::string> warnings;
};

/// Reads `path`. Relative paths in it mean its own directory; those in the environment mean the
/// working directory. A file that cannot be read is one error.
Loaded load(const std::string& path, const Environment& environment);

/// The same from text; `name` is what errors call the file, `directory` what relative paths in it
/// mean.
Loaded load_text(std::string_view text, const std::string& name, const std::string& directory,
                 const Environment& environment);

/// The variables of this process that begin with FOREBAY_. Call before threads start.
Environment process_environment();

}  // namespace forebay::config
