#include "cache/background_fills.hpp"

#include <forebay/base/metrics.hpp>
#include <forebay/runtime/worker.hpp>

#include <utility>

namespace forebay::cache {
namespace {

/// 4 GiB of blocks: more than are read behind demand before they are touched again.
constexpr std::size_t kQueueMax = 1'024;

struct BackgroundMetrics {
  static metrics::Counter& blocks(const char* result) {
    return metrics::Registry::instance().counter(
        "forebay_cache_background_blocks_total",
        "Blocks to fill because small ranges of them were read again.", {{"result", result}});
  }
  metrics::Counter& queued = blocks("queued");
  metrics::Counter& dropped = blocks("dropped");
  metrics::Gauge& waiting = metrics::Registry::instance().gauge(
      "forebay_cache_background_queue_blocks", "Blocks queued to be filled in the background.");

  static BackgroundMetrics& get() {
    static BackgroundMetrics instance;
    return instance;
  }
};

}  // namespace

void BackgroundFills::submit(ObjectPtr object, std::uint32_t block, FetcherPtr fetcher) {
  if (tasks_max_ == 0)
    return;
  const Hash128 hash = block_hash(*object, block);
  {
    const std::lock_guard lock{mutex_};
    if (queued_.contains(hash))
      return;
    if (queue_.size() == kQueueMax) {
      BackgroundMetrics::get().dropped.add();
      return;
    }
    queued_.insert(hash);
    queue_.push_back({std::move(object), block, std::move(fetcher)});
    BackgroundMetrics::get().queued.add();
    BackgroundMetrics::get().waiting.add(1);
    if (tasks_ == tasks_max_)
      return;
    ++tasks_;
  }
  runtime::Worker::current().tasks().spawn("background fills", &BackgroundFills::work, this);
}

/// The job at the head of the queue; false, and this task counts no more, where there is none.
bool BackgroundFills::take(Job& job) {
  const std::lock_guard lock{mutex_};
  if (queue_.empty()) {
    --tasks_;
    return false;
  }
  job = std::move(queue_.front());
  queue_.pop_front();
  queued_.erase(block_hash(*job.object, job.block));
  BackgroundMetrics::get().waiting.add(-1);
  return true;
}

void BackgroundFills::stop() {
  const std::lock_guard lock{mutex_};
  BackgroundMetrics::get().waiting.add(-static_cast<int>(queue_.size()));
  queue_.clear();
  queued_.clear();
}

Task<void> BackgroundFills::work(BackgroundFills* self) {
  Job job;
  while (self->take(job))
    co_await self->cache_.ensure(job.object, job.block, job.block + 1, job.fetcher,
                                 FillReason::background);
}

}  // namespace forebay::cache
