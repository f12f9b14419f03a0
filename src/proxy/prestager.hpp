#pragma once
// Fills that HeadObject asked for: queued, deduplicated, bounded, below demand.
#include <forebay/cache/block_cache.hpp>
#include <forebay/proxy/config.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <unordered_set>

namespace forebay::proxy {

/// Any worker.
class Prestager {
 public:
  Prestager(const PrestageConfig& config, cache::BlockCache& cache);

  /// Queues the whole object unless it is queued already, too large, or the queue is full. Never
  /// waits.
  void submit(cache::ObjectPtr object, cache::FetcherPtr fetcher);
  /// Forgets what has not begun.
  void stop();

 private:
  /// One object on its way: its runs are handed out in order.
  struct Job {
    cache::ObjectPtr object;
    cache::FetcherPtr fetcher;
    std::uint32_t next_block = 0;
  };
  struct Run {
    Job job;
    std::uint32_t end_block = 0;
  };

  static Task<void> work(Prestager* self);
  bool take(Run& run);
  void add_worker(std::unique_lock<std::mutex>& lock);
  void drop(const cache::Object& object);

  PrestageConfig config_;
  cache::BlockCache& cache_;
  std::uint32_t run_blocks_;
  std::size_t workers_max_;

  std::mutex mutex_;
  std::deque<Job> queue_;                      ///< Guarded by mutex_.
  std::unordered_set<cache::Hash128> queued_;  ///< Guarded by mutex_: what queue_ holds.
  std::size_t workers_ = 0;                    ///< Guarded by mutex_.
  bool stopped_ = false;                       ///< Guarded by mutex_.
};

}  // namespace forebay::proxy
