#include "app/pool_metrics.hpp"

#include <forebay/base/metrics.hpp>

#include <atomic>
#include <functional>
#include <string>

namespace forebay::app {
namespace {

/// The registry's functions must stay callable until exit; a pool does not live that long.
std::atomic<const io::BufferPool*> shown{nullptr};

void show(const char* use, std::size_t (*count)(const io::BufferPool&)) {
  const auto read = [count] {
    const io::BufferPool* pool = shown.load();
    return pool == nullptr ? 0.0 : static_cast<double>(count(*pool));
  };
  metrics::Registry::instance().gauge_function(
      "forebay_pool_pages", "Pages of 128 KiB that are free, or charged to a share.", read,
      {{"use", use}});
}

template <io::Share share>
std::size_t used(const io::BufferPool& pool) {
  return pool.share_used(share);
}

}  // namespace

PoolMetrics::PoolMetrics(const io::BufferPool& pool) {
  shown = &pool;
  show("free", [](const io::BufferPool& all) { return all.free_count(); });
  show("fill", &used<io::Share::fill>);
  show("disk_read", &used<io::Share::disk_read>);
  show("slot_write", &used<io::Share::slot_write>);
  show("speculation", &used<io::Share::speculation>);
}

PoolMetrics::~PoolMetrics() {
  shown = nullptr;
}

}  // namespace forebay::app
