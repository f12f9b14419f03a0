#include "proxy/prestager.hpp"

#include <forebay/base/metrics.hpp>
#include <forebay/runtime/worker.hpp>

#include <algorithm>
#include <utility>

namespace forebay::proxy {
namespace {

/// Blocks of one origin request: small enough that readers who come meanwhile find most of the
/// object free to fill for themselves, large enough to be worth a request.
constexpr std::uint32_t kRunBlocks = 4;
constexpr std::size_t kWorkersMax = 16;
constexpr std::size_t kQueueMax = 100'000;

struct PrestageMetrics {
  metrics::Counter& queued = metrics::Registry::instance().counter(
      "forebay_prestage_objects_total", "Objects that HeadObject asked to pre-stage.",
      {{"result", "queued"}});
  metrics::Counter& refused = metrics::Registry::instance().counter(
      "forebay_prestage_objects_total", "Objects that HeadObject asked to pre-stage.",
      {{"result", "refused"}});
  metrics::Gauge& waiting = metrics::Registry::instance().gauge(
      "forebay_prestage_queue_objects", "Objects queued or being pre-staged.");

  static PrestageMetrics& get() {
    static PrestageMetrics instance;
    return instance;
  }
};

}  // namespace

Prestager::Prestager(const PrestageConfig& config, cache::BlockCache& cache)
    : config_{config},
      cache_{cache},
      run_blocks_{static_cast<std::uint32_t>(std::clamp<std::uint64_t>(
          config.max_bytes_in_flight / cache::kBlockSize, 1, kRunBlocks))},
      workers_max_{std::clamp<std::size_t>(
          config.max_bytes_in_flight / (run_blocks_ * cache::kBlockSize), 1, kWorkersMax)} {}

void Prestager::submit(cache::ObjectPtr object, cache::FetcherPtr fetcher) {
  PrestageMetrics& metrics = PrestageMetrics::get();
  std::unique_lock lock{mutex_};
  if (stopped_ || object->identity().size > config_.max_object_size || queue_.size() >= kQueueMax) {
    metrics.refused.add();
    return;
  }
  if (!queued_.insert(object->hash()).second)
    return;
  metrics.queued.add();
  metrics.waiting.add(1);
  queue_.push_back({std::move(object), std::move(fetcher), 0});
  add_worker(lock);
}

/// Unlocks: a task begins to run while it is spawned.
void Prestager::add_worker(std::unique_lock<std::mutex>& lock) {
  const bool wanted = workers_ < workers_max_;
  if (wanted)
    ++workers_;
  lock.unlock();
  if (wanted)
    runtime::Worker::current().tasks().spawn("prestage", &Prestager::work, this);
}

/// The next run of the object at the head of the queue; false, and this worker counts no more,
/// where there is none.
bool Prestager::take(Run& run) {
  std::unique_lock lock{mutex_};
  if (queue_.empty()) {
    --workers_;
    return false;
  }
  Job& job = queue_.front();
  run.job = job;
  run.end_block = std::min(job.next_block + run_blocks_, job.object->block_count());
  job.next_block = run.end_block;
  if (job.next_block == job.object->block_count()) {
    queued_.erase(job.object->hash());
    queue_.pop_front();
    PrestageMetrics::get().waiting.add(-1);
  } else {
    add_worker(lock);
  }
  return true;
}

/// Forgets what is left of an object whose fill failed: the origin refused it, or there is no room.
void Prestager::drop(const cache::Object& object) {
  const std::lock_guard lock{mutex_};
  const auto same = [&object](const Job& job) { return job.object->hash() == object.hash(); };
  const auto it = std::find_if(queue_.begin(), queue_.end(), same);
  if (it == queue_.end())
    return;
  queue_.erase(it);
  queued_.erase(object.hash());
  PrestageMetrics::get().waiting.add(-1);
}

void Prestager::stop() {
  const std::lock_guard lock{mutex_};
  stopped_ = true;
  queue_.clear();
}

Task<void> Prestager::work(Prestager* self) {
  Run run;
  while (self->take(run)) {
    const bool filled =
        co_await self->cache_.ensure(run.job.object, run.job.next_block, run.end_block,
                                     run.job.fetcher, cache::FillReason::prestage);
    if (!filled)
      self->drop(*run.job.object);
  }
}

}  // namespace forebay::proxy
