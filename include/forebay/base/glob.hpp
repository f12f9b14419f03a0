#pragma once
// Patterns in the configuration: "*" is any run of characters, "?" any one, all else itself.
#include <string_view>

namespace forebay {

/// Whole text, case-sensitive. At most pattern times text steps.
bool glob_matches(std::string_view pattern, std::string_view text);

}  // namespace forebay
