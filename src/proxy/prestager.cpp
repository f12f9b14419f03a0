#include "proxy/prestager.hpp"

#include <forebay/base/log.hpp>
#include <forebay/base/metrics.hpp>
#include <forebay/runtime/worker.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace forebay::proxy {
namespace {

/// Blocks of one origin request: small enough that readers who come meanwhile find most of the
/// object free to fill for themselves, large enough to be worth a request.
constexpr std::uint32_t kRunBlocks = 4;
/// Blocks that are looked at in one turn for one that is missing.
constexpr std::uint32_t kScanBlocks = 4096;
constexpr std::size_t kWorkersMax = 16;
constexpr std::chrono::seconds kLineEvery{1};
/// Beside its strings: its places in the tables.
constexpr std::size_t kJobBytes = 512;

constexpr std::array kReasons{
    "", "", "too_large", "no_device", "no_room", "recently_read", "no_token", "queue_full"};

const char* reason_of(Prestaged outcome) {
  return kReasons.at(static_cast<std::size_t>(outcome));
}

bool is_refusal(Prestaged outcome) {
  return outcome != Prestaged::queued && outcome != Prestaged::cached;
}

Prestaged outcome_of(cache::Room room) {
  switch (room) {
    case cache::Room::yes:
      return Prestaged::queued;
    case cache::Room::no_device:
      return Prestaged::no_device;
    case cache::Room::share_spent:
      return Prestaged::no_room;
    case cache::Room::recently_used:
      return Prestaged::recently_read;
    case cache::Room::no_token:
      return Prestaged::no_token;
  }
  return Prestaged::no_room;
}

metrics::Counter& objects(const char* result, const char* reason = "") {
  metrics::Labels labels{{"result", result}};
  if (*reason != '\0')
    labels.emplace_back("reason", reason);
  return metrics::Registry::instance().counter("forebay_prestage_objects_total",
                                               "Objects that HeadObject asked to pre-stage.",
                                               std::move(labels));
}

struct PrestageMetrics {
  metrics::Counter& queued = objects("queued");
  metrics::Counter& cached = objects("cached");
  metrics::Counter& failed = objects("stopped", "failed");
  metrics::Gauge& waiting = metrics::Registry::instance().gauge(
      "forebay_prestage_queue_objects", "Objects queued or being pre-staged.");

  static PrestageMetrics& get() {
    static PrestageMetrics instance;
    return instance;
  }
};

std::size_t memory_of(const cache::Object& object, const OriginFetcher& fetcher) {
  const cache::Identity& identity = object.identity();
  return kJobBytes + sizeof object + identity.origin.size() + identity.bucket.size() +
         identity.key.size() + identity.etag.size() + identity.version_id.size() +
         fetcher.memory_bytes();
}

}  // namespace

std::string field_value(Prestaged outcome) {
  if (is_refusal(outcome))
    return std::string{"refused; reason="} + reason_of(outcome);
  return outcome == Prestaged::queued ? "queued" : "cached";
}

Prestager::Prestager(const PrestageConfig& config, cache::BlockCache& cache)
    : config_{config},
      cache_{cache},
      run_blocks_{static_cast<std::uint32_t>(std::clamp<std::uint64_t>(
          config.max_bytes_in_flight / cache::kBlockSize, 1, kRunBlocks))},
      workers_max_{std::clamp<std::size_t>(
          config.max_bytes_in_flight / (run_blocks_ * cache::kBlockSize), 1, kWorkersMax)} {}

Prestaged Prestager::submit(cache::ObjectPtr object, std::shared_ptr<OriginFetcher> fetcher) {
  const Prestaged outcome = admit(object, std::move(fetcher));
  if (is_refusal(outcome)) {
    objects("refused", reason_of(outcome)).add();
    log_refusal(*object, outcome);
  }
  return outcome;
}

Prestaged Prestager::admit(const cache::ObjectPtr& object, std::shared_ptr<OriginFetcher> fetcher) {
  const cache::DiskStore* disk = cache_.disk();
  if (disk == nullptr)
    return Prestaged::no_device;
  const std::uint32_t wanted = object->block_count() - disk->stored_count(*object);
  if (wanted == 0) {
    PrestageMetrics::get().cached.add();
    return Prestaged::cached;
  }
  if (object->identity().size > config_.max_object_size)
    return Prestaged::too_large;
  std::unique_lock lock{mutex_};
  if (jobs_.contains(object->hash()))
    return Prestaged::queued;
  if (const cache::Room room = disk->room(cache::Placement::cold); room != cache::Room::yes)
    return outcome_of(room);
  if (disk->room_ahead(promised_ + wanted) < promised_ + wanted)
    return Prestaged::no_room;
  const std::size_t bytes = memory_of(*object, *fetcher);
  if (stopped_ || memory_bytes_ + bytes > kPrestageQueueBytes)
    return Prestaged::queue_full;
  auto job = std::make_shared<Job>();
  job->object = object;
  job->fetcher = std::move(fetcher);
  job->memory_bytes = bytes;
  job->promised = wanted;
  memory_bytes_ += bytes;
  promised_ += wanted;
  jobs_.emplace(object->hash(), job);
  queue_.push_back(std::move(job));
  PrestageMetrics::get().queued.add();
  PrestageMetrics::get().waiting.add(1);
  add_worker(lock);
  return Prestaged::queued;
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
  run.job = queue_.front();
  Job& job = *run.job;
  const std::uint32_t blocks = job.object->block_count();
  const std::uint32_t scanned = std::min(blocks - job.next_block, kScanBlocks) + job.next_block;
  run.first_block = cache_.disk()->first_missing(*job.object, job.next_block, scanned);
  run.end_block = std::min(run.first_block + run_blocks_, scanned);
  job.next_block = run.end_block;
  ++job.runs;
  if (job.next_block != blocks) {
    add_worker(lock);
    return true;
  }
  job.queued = false;
  queue_.pop_front();
  return true;
}

/// A run that failed ends its object: the origin refused it, or there is no room any more.
void Prestager::end(Run& run, bool filled) {
  const std::lock_guard lock{mutex_};
  Job& job = *run.job;
  --job.runs;
  keep_promise(job, run.end_block - run.first_block);
  if (!filled && !std::exchange(job.failed, true)) {
    why_stopped().add();
    std::erase(queue_, run.job);
    job.queued = false;
  }
  finish_if_done(run.job);
}

/// With the mutex held: these blocks are counted by the devices now.
void Prestager::keep_promise(Job& job, std::uint32_t blocks) {
  const std::uint32_t kept = std::min(job.promised, blocks);
  job.promised -= kept;
  promised_ -= kept;
}

/// With the mutex held.
void Prestager::finish_if_done(const JobPtr& job) {
  if (job->queued || job->runs != 0)
    return;
  keep_promise(*job, job->promised);
  memory_bytes_ -= job->memory_bytes;
  jobs_.erase(job->object->hash());
  PrestageMetrics::get().waiting.add(-1);
}

/// What counts an object that was stopped now.
metrics::Counter& Prestager::why_stopped() const {
  const cache::Room room = cache_.disk()->room(cache::Placement::cold);
  if (room == cache::Room::yes)
    return PrestageMetrics::get().failed;
  return objects("stopped", reason_of(outcome_of(room)));
}

void Prestager::log_refusal(const cache::Object& object, Prestaged outcome) {
  std::uint64_t others = 0;
  {
    const std::lock_guard lock{mutex_};
    const TimePoint now = Clock::now();
    if (now < next_line_) {
      ++unlogged_;
      return;
    }
    next_line_ = now + kLineEvery;
    others = std::exchange(unlogged_, 0);
  }
  log::get("prestage")
      .info("HEAD of {:?}/{:?} fills nothing: reason={} ({} more since the last)",
            object.identity().bucket, object.identity().key, reason_of(outcome), others);
}

void Prestager::stop() {
  const std::lock_guard lock{mutex_};
  stopped_ = true;
  for (const JobPtr& job : std::exchange(queue_, {})) {
    job->queued = false;
    finish_if_done(job);
  }
}

Task<void> Prestager::work(Prestager* self) {
  Run run;
  while (self->take(run)) {
    const bool filled =
        co_await self->cache_.ensure(run.job->object, run.first_block, run.end_block,
                                     run.job->fetcher, cache::FillReason::prestage);
    self->end(run, filled);
    co_await runtime::yield();
  }
}

}  // namespace forebay::proxy
