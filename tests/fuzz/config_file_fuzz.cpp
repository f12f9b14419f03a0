// The configuration: what loads without errors is printed as a file that loads as the same, and no
// secret is printed at all.
#include "entry.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/config/load.hpp>
#include <forebay/config/render.hpp>

#include <algorithm>

namespace forebay::fuzz {

void check(std::string_view input) {
  // What is no UTF-8 is no YAML, and need not come back as it was.
  if (std::any_of(input.begin(), input.end(), [](char c) { return (c & 0x80) != 0; }))
    return;
  const auto loaded = config::load_text(input, "f.yaml", "/etc/forebay", {});
  if (!loaded.errors.empty())
    return;
  const auto& own = loaded.config.fill_credentials;
  const std::string text = config::render_config(loaded.config);
  if (!own.secret_key.empty()) {
    ASSERT(text.find("# secret_key: set, and not shown") != std::string::npos);
    return;
  }
  const auto again = config::load_text(text, "f.yaml", "/etc/forebay", {});
  ASSERT(again.errors.empty());
  // In passthrough the printed credentials_file is an example.
  if (!loaded.config.auth.credentials_file.empty())
    ASSERT(config::render_config(again.config) == text);
}

}  // namespace forebay::fuzz
