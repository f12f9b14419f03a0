#include "cache/slab.hpp"
#include "cache/version_holds.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/base/errc.hpp>
#include <forebay/base/log.hpp>
#include <forebay/cache/disk_store.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <utility>

#include <sys/stat.h>

namespace forebay::cache {
namespace {

/// Headers that recovery reads at once from one device.
constexpr std::uint32_t kScansPerDevice = 32;

bool is_raw_device(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && S_ISBLK(status.st_mode);
}

class SlabStore final : public DiskStore {
 public:
  explicit SlabStore(std::vector<std::unique_ptr<Slab>> slabs) : slabs_{std::move(slabs)} {}

  bool contains(const Object& object, std::uint32_t block) const override {
    return index_.contains(object, block);
  }

  bool knows(std::string_view origin, std::string_view bucket,
             std::string_view key) const override {
    return index_.knows(origin, bucket, key);
  }

  Task<Result<void>> read(ObjectPtr object, std::uint32_t block, std::uint32_t first_page,
                          std::vector<io::PageRef> pages) override {
    const std::optional<StoredBlock> stored = index_.find(*object, block);
    if (!stored)
      co_return Errc::not_found;
    Slab& slab = *slabs_[stored->device];
    const Result<void> result = co_await slab.read(*stored, first_page, std::move(pages));
    // Bytes that are wrong or out of reach are a miss from now on.
    if (!result && result.error() != Errc::overloaded)
      drop(*stored);
    forget_if_failed(slab);
    co_return result;
  }

  void touch(const Object& object, std::uint32_t block) override {
    if (const auto stored = index_.find(object, block); stored)
      slabs_[stored->device]->touch(*stored);
  }

  Room room(Placement placement) const override {
    Room why = Room::no_device;
    for (const auto& slab : slabs_) {
      const Room room = slab->room(placement);
      if (room == Room::yes)
        return room;
      if (why == Room::no_device)
        why = room;
    }
    return why;
  }

  std::uint64_t room_ahead(std::uint64_t wanted) const override {
    std::uint64_t room = 0;
    for (const auto& slab : slabs_)
      room += slab->room_ahead(
          static_cast<std::uint32_t>(std::min<std::uint64_t>(wanted - room, slab->slot_count())));
    return room;
  }

  std::uint32_t stored_count(const Object& object) const override {
    return index_.stored_count(object);
  }

  std::uint32_t first_missing(const Object& object, std::uint32_t first,
                              std::uint32_t end) const override {
    return index_.first_missing(object, first, end);
  }

  PurgeList::Watch watch_purges() override { return PurgeList::Watch{purged_}; }

  Task<Result<void>> write(ObjectPtr object, std::uint32_t block, std::vector<io::PageRef> pages,
                           PageChecksums checksums, Placement placement,
                           PurgeList::Watch purges) override {
    if (index_.contains(*object, block))
      co_return success();
    Slab* slab = nullptr;
    const std::optional<Slab::Reservation> reservation = reserve(placement, slab);
    if (!reservation)
      co_return Errc::overloaded;
    if (reservation->victim)
      index_.erase(*reservation->victim);
    const Result<void> written =
        co_await slab->write(*reservation, object, block, std::move(pages), checksums);
    if (written) {
      const StoredBlock stored{std::move(object),     block,    slab->number(), reservation->slot,
                               reservation->sequence, checksums};
      slab->commit(stored, placement);
      if (!index_.insert(stored))
        slab->release(stored);
      if (purges.matches(stored.object->identity())) {
        index_.erase(stored);
        co_await slab->erase(stored);
      }
    }
    forget_if_failed(*slab);
    co_return written;
  }

  void drop_superseded(const Object& current) override {
    holds_.reinstate(current);
    for (const ObjectPtr& version : index_.superseded_by(current)) {
      if (!holds_.keep_superseded(version))
        drop_version(*version);
    }
  }

  void begin_hold(const Object& version) override { holds_.hold(version); }

  void end_hold(const Object& version) override {
    for (const ObjectPtr& superseded : holds_.release(version))
      drop_version(*superseded);
  }

  /// Every block leaves the index before the first header is erased.
  Task<std::size_t> purge(std::string bucket, std::string prefix) override {
    purged_.add(bucket, prefix);
    std::vector<StoredBlock> blocks = index_.with_prefix(bucket, prefix);
    std::erase_if(blocks, [this](const StoredBlock& stored) { return !index_.erase(stored); });
    const std::size_t count = blocks.size();
    for (const auto& slab : slabs_) {
      const std::vector<StoredBlock> leftovers = slab->leftovers(bucket, prefix);
      blocks.insert(blocks.end(), leftovers.begin(), leftovers.end());
    }
    for (const StoredBlock& stored : blocks)
      co_await slabs_[stored.device]->erase(stored);
    co_return count;
  }

  std::vector<Status> status() const override {
    std::vector<Status> all;
    for (const auto& slab : slabs_)
      all.push_back(
          {slab->path(), slab->slot_count(), slab->used(), slab->scanned(), slab->failed()});
    return all;
  }

  void stop() override { stop_ = true; }

  void start_recovery(runtime::WorkerPool& workers) {
    recovering_ = slabs_.size();
    recovery_watch_.emplace(purged_);
    for (const auto& slab : slabs_)
      workers.spawn_on(slab->number() % workers.size(), "recovery", &SlabStore::recover, this,
                       slab.get());
  }

 private:
  /// One of the scans of a device; the last to end finishes its recovery.
  static Task<void> scan(SlabStore* self, Slab* slab, std::uint32_t first,
                         std::shared_ptr<std::uint32_t> running) {
    const RecoveryContext context{self->index_, *self->recovery_watch_, self->stop_};
    co_await slab->scan(context, first, kScansPerDevice);
    if (--*running != 0)
      co_return;
    if (slab->scanned() == slab->slot_count()) {
      slab->seed_lru();
      log::get("cache").info("{}: recovered, {} of {} slots hold blocks", slab->path(),
                             slab->used(), slab->slot_count());
    }
    self->forget_if_failed(*slab);
    self->end_recovery();
  }

  /// Starts the scans of one device on this worker.
  static Task<void> recover(SlabStore* self, Slab* slab) {
    if (slab->scanned() == slab->slot_count()) {
      self->end_recovery();
      co_return;
    }
    const auto running = std::make_shared<std::uint32_t>(kScansPerDevice);
    for (std::uint32_t first = 0; first < kScansPerDevice; ++first)
      runtime::Worker::current().tasks().spawn("scan", &SlabStore::scan, self, slab, first,
                                               running);
  }

  void end_recovery() {
    if (--recovering_ == 0)
      recovery_watch_.reset();
  }

  /// From the device with the largest part of its slots free; where none is free, from each in
  /// turn.
  std::optional<Slab::Reservation> reserve(Placement placement, Slab*& chosen) {
    double most = 0;
    std::size_t first = slabs_.size();
    for (std::size_t i = 0; i < slabs_.size(); ++i) {
      const double part = slabs_[i]->usable() ? slabs_[i]->free_part() : 0;
      if (part > most) {
        most = part;
        first = i;
      }
    }
    if (first == slabs_.size())
      first = turn_.fetch_add(1, std::memory_order_relaxed);
    for (std::size_t i = 0; i < slabs_.size(); ++i) {
      chosen = slabs_[(first + i) % slabs_.size()].get();
      if (auto reservation = chosen->reserve(placement); reservation)
        return reservation;
    }
    return std::nullopt;
  }

  void drop(const StoredBlock& stored) {
    if (index_.erase(stored))
      slabs_[stored.device]->release(stored);
  }

  void drop_version(const Object& version) {
    for (const StoredBlock& stored : index_.blocks_of(version))
      drop(stored);
  }

  void forget_if_failed(Slab& slab) {
    if (!slab.take_failure())
      return;
    for (const StoredBlock& stored : slab.live_blocks())
      drop(stored);
  }

  std::vector<std::unique_ptr<Slab>> slabs_;
  BlockIndex index_;
  VersionHolds holds_;
  PurgeList purged_;
  std::optional<PurgeList::Watch> recovery_watch_;  ///< While any slot is not scanned.
  std::atomic<std::size_t> recovering_{0};          ///< Devices whose slots are not all scanned.
  std::atomic<std::size_t> turn_{0};
  std::atomic<bool> stop_{false};
};

using Opened = Result<std::unique_ptr<Slab>>;

Task<void> open_slab(std::unique_ptr<io::BlockDevice> device, Slab::Options options,
                     std::shared_ptr<std::promise<Opened>> promise) {
  promise->set_value(co_await Slab::open(std::move(device), options));
}

/// Above what every earlier start has used, unless the clock was set back; recovery sees to that.
std::uint64_t first_sequence() {
  using std::chrono::microseconds;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<microseconds>(now).count());
}

}  // namespace

Hold::Hold(DiskStore& store, ObjectPtr version) : store_{&store}, version_{std::move(version)} {
  store_->begin_hold(*version_);
}

Hold& Hold::operator=(Hold&& other) noexcept {
  end();
  store_ = other.store_;
  version_ = std::move(other.version_);
  return *this;
}

void Hold::end() {
  if (version_)
    store_->end_hold(*version_);
  version_.reset();
}

Result<std::unique_ptr<DiskStore>> DiskStore::open(const DiskConfig& config, io::IoEngine& engine,
                                                   runtime::WorkerPool& workers) {
  ASSERT(runtime::Worker::current_or_null() == nullptr);
  std::vector<std::unique_ptr<Slab>> slabs;
  for (const DeviceConfig& device_config : config.devices) {
    TRY(auto device, engine.open(device_config.path, device_config.size_bytes));
    Slab::Options options;
    options.number = static_cast<std::uint32_t>(slabs.size());
    options.is_raw = is_raw_device(device_config.path);
    options.writes_per_day = config.device_writes_per_day;
    options.prestage_max_share = config.prestage_max_share;
    options.prestage_evict_older_than = config.prestage_evict_older_than;
    options.first_sequence = first_sequence();
    auto promise = std::make_shared<std::promise<Opened>>();
    workers.spawn_on(0, "open slab", &open_slab, std::move(device), options, promise);
    TRY(auto slab, promise->get_future().get());
    slabs.push_back(std::move(slab));
  }
  auto store = std::make_unique<SlabStore>(std::move(slabs));
  store->start_recovery(workers);
  return store;
}

}  // namespace forebay::cache
