#include "cache/slab.hpp"
#include "cache/version_holds.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/base/errc.hpp>
#include <forebay/base/log.hpp>
#include <forebay/cache/disk_store.hpp>
#include <forebay/runtime/waiter.hpp>

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
  SlabStore(std::vector<std::unique_ptr<Slab>> slabs, io::BufferPool& pool)
      : slabs_{std::move(slabs)}, pool_{pool} {}

  bool contains(const Object& object, std::uint32_t block) const override {
    const std::optional<std::uint32_t> device = index_.device_of(object, block);
    return device && slabs_[*device]->readable();
  }

  bool knows(std::string_view origin, std::string_view bucket,
             std::string_view key) const override {
    return index_.knows(origin, bucket, key);
  }

  std::optional<io::Lease> try_frames(const Object& object, std::uint32_t block,
                                      std::size_t count) override {
    const std::optional<std::uint32_t> device = index_.device_of(object, block);
    if (!device || !slabs_[*device]->readable())
      return std::nullopt;
    return pool_.try_acquire(io::Share::speculation, count, *device);
  }

  Task<Result<io::Lease>> read(ObjectPtr object, std::uint32_t block, std::uint32_t first_page,
                               std::uint32_t count, std::optional<io::Lease> frames,
                               Deadline deadline) override {
    const std::optional<StoredBlock> stored = index_.find(*object, block);
    if (!stored)
      co_return Errc::not_found;
    Slab& slab = *slabs_[stored->device];
    auto result = co_await slab.read(*stored, first_page, count, std::move(frames), deadline);
    // Bytes that are wrong or out of reach are a miss from now on.
    if (!result && result.error() != Errc::overloaded)
      drop(*stored);
    forget_if_failed(slab);
    co_return std::move(result);
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

  Task<Result<Admission>> admit(std::vector<io::PageRef> pages, Placement placement,
                                Deadline deadline) override {
    for (;;) {
      const std::vector<Slab*> devices = with_room(placement);
      for (const Slab* slab : devices) {
        if (auto lease = pool_.try_charge(io::Share::slot_write, pages, slab->number()); lease)
          co_return Admission{slab->number(), std::move(*lease)};
      }
      if (devices.empty() || deadline.expired())
        co_return Errc::overloaded;
      const std::uint32_t device = devices.front()->number();
      auto lease = co_await pool_.charge(io::Share::slot_write, pages, deadline, device);
      if (lease)
        co_return Admission{device, std::move(lease).value()};
      // It has stalled meanwhile, or the time is up.
      co_await runtime::yield();
    }
  }

  Task<Result<void>> write(ObjectPtr object, std::uint32_t block, Admission admission,
                           PageChecksums checksums, Placement placement,
                           PurgeList::Watch purges) override {
    if (index_.contains(*object, block))
      co_return success();
    Slab& slab = *slabs_[admission.device];
    const std::optional<Slab::Reservation> reservation = slab.reserve(placement);
    if (!reservation)
      co_return Errc::overloaded;
    std::optional<StoredBlock> victim;
    if (reservation->victim)
      victim = index_.take(*reservation->victim);
    std::fill(checksums.begin() + page_count(object->block_length(block)), checksums.end(), 0);
    const Result<void> written =
        co_await slab.write(*reservation, *object, block, admission.lease.pages, checksums);
    if (written) {
      const StoredBlock stored{std::move(object),     block,    slab.number(), reservation->slot,
                               reservation->sequence, checksums};
      slab.commit(stored);
      show(slab, stored, placement, purges);
    } else {
      slab.give_back(*reservation);
      if (victim)
        show(slab, *victim, Placement::hot, purges);
      else if (reservation->victim)
        let_go(slab, *reservation->victim, purges);
    }
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

  Task<Purged> purge(std::string bucket, std::string prefix) override {
    purged_.add(bucket, prefix);
    Purged purged;
    for (std::size_t part = 0; part < BlockIndex::kParts; ++part) {
      const std::vector<StoredBlock> blocks = index_.with_prefix(part, bucket, prefix);
      for (std::size_t i = 0; i < blocks.size(); ++i) {
        purged.blocks += doom(blocks[i]) ? 1 : 0;
        if (i % kBatch == kBatch - 1)
          co_await runtime::yield();
      }
      co_await runtime::yield();
    }
    for (const auto& slab : slabs_) {
      for (std::uint32_t first = 0; first < slab->slot_count(); first += kBatch) {
        for (const StoredBlock& stored : slab->doom_leftovers(bucket, prefix, first, kBatch))
          doom(stored);
        co_await runtime::yield();
      }
    }
    for (const auto& slab : slabs_) {
      const std::uint64_t left = co_await slab->wait_erased();
      if (left != 0)
        purged.unreached.push_back({slab->path(), left});
    }
    co_return std::move(purged);
  }

  std::vector<Status> status() const override {
    std::vector<Status> all;
    for (const auto& slab : slabs_)
      all.push_back({slab->path(), slab->slot_count(), slab->used(), slab->scanned(),
                     slab->readable(), slab->writable()});
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

  /// The devices that have room: first the one with the largest part of its slots free; where none
  /// is free, each in turn.
  std::vector<Slab*> with_room(Placement placement) {
    double most = 0;
    std::size_t first = slabs_.size();
    for (std::size_t i = 0; i < slabs_.size(); ++i) {
      const double part = slabs_[i]->room(placement) == Room::yes ? slabs_[i]->free_part() : 0;
      if (part > most) {
        most = part;
        first = i;
      }
    }
    if (first == slabs_.size())
      first = turn_.fetch_add(1, std::memory_order_relaxed);
    std::vector<Slab*> devices;
    for (std::size_t i = 0; i < slabs_.size(); ++i) {
      Slab* slab = slabs_[(first + i) % slabs_.size()].get();
      if (slab->room(placement) == Room::yes)
        devices.push_back(slab);
    }
    return devices;
  }

  /// Names a block that is live in the index, and only then it may be evicted.
  void show(Slab& slab, const StoredBlock& stored, Placement placement,
            const PurgeList::Watch& purges) {
    if (index_.insert(stored))
      slab.enter(stored, placement);
    else
      slab.release(stored);
    if (purges.matches(stored.object->identity()))
      doom(stored);
    if (slab.failed())
      drop(stored);
  }

  /// Of a live block that left the index while its slot was to be written.
  static void let_go(Slab& slab, const StoredBlock& stored, const PurgeList::Watch& purges) {
    if (purges.matches(stored.object->identity()))
      slab.doom(stored);
    else
      slab.release(stored);
  }

  void drop(const StoredBlock& stored) {
    if (index_.erase(stored))
      slabs_[stored.device]->release(stored);
  }

  void drop_version(const Object& version) {
    for (const StoredBlock& stored : index_.blocks_of(version))
      drop(stored);
  }

  /// For a block that is purged: false where it has left the index already.
  bool doom(const StoredBlock& stored) {
    if (!index_.erase(stored))
      return false;
    slabs_[stored.device]->doom(stored);
    return true;
  }

  void forget_if_failed(Slab& slab) {
    if (slab.take_failure())
      runtime::Worker::current().tasks().spawn("forget device", &SlabStore::forget, this, &slab);
  }

  static Task<void> forget(SlabStore* self, Slab* slab) {
    for (std::uint32_t first = 0; first < slab->slot_count(); first += kBatch) {
      for (const StoredBlock& stored : slab->live_blocks(first, kBatch))
        self->drop(stored);
      co_await runtime::yield();
    }
  }

  /// Slots or blocks that are gone through in one turn of the event loop.
  static constexpr std::uint32_t kBatch = 1024;

  std::vector<std::unique_ptr<Slab>> slabs_;
  io::BufferPool& pool_;
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
                                                   io::BufferPool& pool,
                                                   runtime::WorkerPool& workers) {
  ASSERT(runtime::Worker::current_or_null() == nullptr);
  pool.divide(config.devices.size());
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
    options.stall = config.device_stall;
    options.pool = &pool;
    auto promise = std::make_shared<std::promise<Opened>>();
    workers.spawn_on(0, "open slab", &open_slab, std::move(device), options, promise);
    TRY(auto slab, promise->get_future().get());
    slabs.push_back(std::move(slab));
  }
  auto store = std::make_unique<SlabStore>(std::move(slabs), pool);
  store->start_recovery(workers);
  return store;
}

}  // namespace forebay::cache
