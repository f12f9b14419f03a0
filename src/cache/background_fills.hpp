#pragma once
// Blocks of which small ranges are read again and again: queued, bounded, below demand.
#include <forebay/cache/block_cache.hpp>

#include <cstddef>
#include <deque>
#include <mutex>
#include <unordered_set>

namespace forebay::cache {

/// Any worker's thread. What is queued has claimed nothing yet: a reader who comes for it asks for
/// itself.
class BackgroundFills {
 public:
  /// `tasks_max` blocks at once; none where it is 0.
  BackgroundFills(BlockCache& cache, std::size_t tasks_max)
      : cache_{cache}, tasks_max_{tasks_max} {}

  /// Queues the block unless it is queued already or the queue is full, which is counted. Never
  /// waits.
  void submit(ObjectPtr object, std::uint32_t block, FetcherPtr fetcher);
  /// Forgets what has not begun.
  void stop();

 private:
  struct Job {
    ObjectPtr object;
    std::uint32_t block = 0;
    FetcherPtr fetcher;
  };

  static Task<void> work(BackgroundFills* self);
  bool take(Job& job);

  BlockCache& cache_;
  std::size_t tasks_max_;

  std::mutex mutex_;
  std::deque<Job> queue_;               ///< Guarded by mutex_.
  std::unordered_set<Hash128> queued_;  ///< Guarded by mutex_: the blocks of queue_.
  std::size_t tasks_ = 0;               ///< Guarded by mutex_.
};

}  // namespace forebay::cache
