#pragma once
// The status of /status.json as a page for humans. Pure.
#include <string>
#include <string_view>

namespace forebay::admin {

/// One HTML document without anything to load: objects become tables, nested as they are. Text
/// that is no JSON object is shown as it is.
std::string status_page(std::string_view version, std::string_view status_json);

}  // namespace forebay::admin
