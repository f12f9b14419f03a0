#pragma once
// The schema as text for people: a commented file, and the reference page.
#include <forebay/config/config.hpp>

#include <string>

namespace forebay::config {

/// Every key with its help and its value in `config`, as YAML that loads back as the same. Of a
/// default Config it is config/forebay.yaml.
std::string render_config(const Config& config);

/// docs/configuration.md.
std::string render_reference();

}  // namespace forebay::config
