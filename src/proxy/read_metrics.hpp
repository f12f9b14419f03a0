#pragma once
// What GetObject cost and where it came from.
#include <forebay/base/metrics.hpp>

namespace forebay::proxy {

/// Any thread.
struct ReadMetrics {
  static ReadMetrics& get();

  metrics::Counter& cached;
  metrics::Counter& filled;
  metrics::Counter& direct;
  metrics::Counter& hit;
  metrics::Counter& miss;
  metrics::Counter& partial;
  metrics::Counter& bypass;
  metrics::Counter& overwritten;
  metrics::Counter& failed;
};

}  // namespace forebay::proxy
