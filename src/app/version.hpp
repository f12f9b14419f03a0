#pragma once
// Which build this is.
#include <string>

namespace forebay::app {

/// "0.1.0", with the commit where it was known when the build was configured: "0.1.0 (1a2b3c4)".
std::string version();
/// What `forebay version` prints: the version, the compiler and the libraries, a line each.
std::string version_text();

}  // namespace forebay::app
