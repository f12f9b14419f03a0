#pragma once
// What a request is answered with.
#include <string>
#include <string_view>

namespace forebay::admin {

inline constexpr std::string_view kJson = "application/json";
inline constexpr int kUnauthorized = 401;  ///< Goes out with WWW-Authenticate.

struct Answer {
  int status = 200;
  std::string content_type;
  std::string body;
};

/// {"error": message}
Answer json_error(int status, std::string_view message);

}  // namespace forebay::admin
