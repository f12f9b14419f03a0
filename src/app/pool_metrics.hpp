#pragma once
// The buffer pool in the metrics.
#include <forebay/io/buffer_pool.hpp>

namespace forebay::app {

/// Shows `pool` as forebay_pool_pages for as long as this lives; one at a time shows, the last
/// made. Destroyed where no scrape can be running.
class PoolMetrics {
 public:
  explicit PoolMetrics(const io::BufferPool& pool);
  PoolMetrics(const PoolMetrics&) = delete;
  PoolMetrics& operator=(const PoolMetrics&) = delete;
  ~PoolMetrics();
};

}  // namespace forebay::app
