#pragma once
// Prometheus text exposition format 0.0.4. Pure.
#include <forebay/base/metrics.hpp>

#include <span>
#include <string>

namespace forebay::admin {

/// `series` ordered by name, as Registry::snapshot() gives them; HELP and TYPE once a name.
std::string metrics_text(std::span<const metrics::Series> series);

}  // namespace forebay::admin
