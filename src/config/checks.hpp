#pragma once
// What no key can tell alone.
#include <forebay/config/config.hpp>

#include <map>
#include <string>
#include <vector>

namespace forebay::config {

/// Errors between keys. `places` says where a key was given; one at its default has none.
std::vector<std::string> check(const Config& config,
                               const std::map<std::string, std::string>& places);

}  // namespace forebay::config
