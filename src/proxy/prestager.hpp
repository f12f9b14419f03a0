#pragma once
// Fills that HeadObject asked for: queued, deduplicated, bounded, below demand.
#include "proxy/origin_fetcher.hpp"

#include <forebay/base/metrics.hpp>
#include <forebay/cache/block_cache.hpp>
#include <forebay/proxy/config.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace forebay::proxy {

/// What became of the wish to pre-stage an object.
enum class Prestaged {
  queued,
  cached,         ///< Every block is on a device.
  too_large,      ///< prestage.max_object_size
  no_device,      ///< None is configured, or none works.
  no_room,        ///< Its missing blocks, with those promised to others, exceed prestage.max_share.
  recently_read,  ///< Every block that could give way was used within prestage.evict_older_than.
  no_token,       ///< cache.device_writes_per_day
  queue_full,     ///< Also while the node stops.
};

/// For the answer to HeadObject: "queued", "cached", or "refused; reason=..." with the word above.
std::string field_value(Prestaged outcome);

/// Any worker.
class Prestager {
 public:
  Prestager(const PrestageConfig& config, cache::BlockCache& cache);

  /// Queues what is missing of the object, unless it is queued already or cannot fit. Never waits;
  /// its cost does not grow with the object.
  Prestaged submit(cache::ObjectPtr object, std::shared_ptr<OriginFetcher> fetcher);
  /// Forgets what has not begun.
  void stop();

 private:
  /// One object on its way: its runs are handed out in order. Guarded by mutex_, but for what never
  /// changes.
  struct Job {
    cache::ObjectPtr object;
    std::shared_ptr<OriginFetcher> fetcher;
    std::size_t memory_bytes = 0;
    std::uint32_t next_block = 0;
    std::uint32_t promised = 0;  ///< Blocks of the room that are kept for it.
    std::uint32_t runs = 0;      ///< Handed out and not ended.
    bool queued = true;
    bool failed = false;
  };
  using JobPtr = std::shared_ptr<Job>;
  struct Run {
    JobPtr job;
    std::uint32_t first_block = 0;
    std::uint32_t end_block = 0;  ///< first_block where a stretch of blocks is all there.
  };

  static Task<void> work(Prestager* self);
  Prestaged admit(const cache::ObjectPtr& object, std::shared_ptr<OriginFetcher> fetcher);
  bool take(Run& run);
  void end(Run& run, bool filled);
  void add_worker(std::unique_lock<std::mutex>& lock);
  void keep_promise(Job& job, std::uint32_t blocks);
  void finish_if_done(const JobPtr& job);
  metrics::Counter& why_stopped() const;
  void log_refusal(const cache::Object& object, Prestaged outcome);

  PrestageConfig config_;
  cache::BlockCache& cache_;
  std::uint32_t run_blocks_;
  std::size_t workers_max_;

  std::mutex mutex_;
  // Guarded by mutex_.
  std::deque<JobPtr> queue_;                         ///< Of which some blocks are not handed out.
  std::unordered_map<cache::Hash128, JobPtr> jobs_;  ///< All that have not ended.
  std::size_t memory_bytes_ = 0;                     ///< Of jobs_.
  std::uint64_t promised_ = 0;                       ///< Blocks, of jobs_.
  std::size_t workers_ = 0;
  bool stopped_ = false;
  TimePoint next_line_{};       ///< A refusal is logged again from then on.
  std::uint64_t unlogged_ = 0;  ///< Refusals since the last line.
};

}  // namespace forebay::proxy
