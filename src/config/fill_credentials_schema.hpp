#pragma once
// The part of the table that is about the node's own key pair.
#include "config/schema.hpp"

#include <vector>

namespace forebay::config {

/// origin.fill_credentials.*
std::vector<Key> fill_credentials_keys();

}  // namespace forebay::config
