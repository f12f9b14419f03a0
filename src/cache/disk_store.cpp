#include "cache/slab.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/base/errc.hpp>
#include <forebay/base/log.hpp>
#include <forebay/cache/disk_store.hpp>

#include <algorithm>
#include <atomic>
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

  Task<Result<void>> read(ObjectPtr object, std::uint32_t block, std::uint32_t first_page,
                          std::vector<io::PageRef> pages) override {
    const std::optional<StoredBlock> stored = index_.find(*object, block);
    if (!stored)
      co_return Errc::not_found;
    Slab& slab = *slabs_[stored->device];
    const Result<void> result = co_await slab.read(*stored, first_page, std::move(pages));
    if (!result) {
      // Whatever it was, these bytes are a miss from now on.
      const bool erased = index_.erase(*object, block, stored->device, stored->slot);
      if (erased && result.error() != Errc::not_found)
        slab.release(stored->slot);
      forget_if_failed(slab);
    }
    co_return result;
  }

  void touch(const Object& object, std::uint32_t block) override {
    if (const auto stored = index_.find(object, block); stored)
      slabs_[stored->device]->touch(stored->slot);
  }

  bool admits() const override {
    return std::any_of(slabs_.begin(), slabs_.end(), [](const auto& slab) {
      return !slab->failed() && (slab->free_count() != 0 || slab->may_overwrite());
    });
  }

  Task<Result<void>> write(ObjectPtr object, std::uint32_t block, std::vector<io::PageRef> pages,
                           PageChecksums checksums, Placement placement) override {
    if (index_.contains(*object, block))
      co_return success();
    Slab* slab = nullptr;
    const std::optional<Slab::Reservation> reservation = reserve(slab);
    if (!reservation)
      co_return Errc::overloaded;
    if (reservation->victim)
      index_.erase(*reservation->victim->first, reservation->victim->second, slab->number(),
                   reservation->slot);
    const Result<void> written =
        co_await slab->write(*reservation, object, block, std::move(pages), checksums);
    if (!written) {
      forget_if_failed(*slab);
      co_return written.error();
    }
    slab->commit(*reservation, object, block, placement);
    StoredBlock stored{std::move(object), block, slab->number(), reservation->slot, checksums};
    if (!index_.insert(std::move(stored)))
      slab->release(reservation->slot);
    co_return success();
  }

  void drop_superseded(const Object& current) override {
    for (const StoredBlock& stored : index_.superseded_by(current))
      drop(stored);
  }

  Task<std::size_t> purge(std::string bucket, std::string prefix) override {
    const std::vector<StoredBlock> blocks = index_.with_prefix(bucket, prefix);
    for (const StoredBlock& stored : blocks) {
      if (index_.erase(*stored.object, stored.block, stored.device, stored.slot))
        co_await slabs_[stored.device]->erase(stored.slot);
    }
    co_return blocks.size();
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
    for (const auto& slab : slabs_)
      workers.spawn_on(slab->number() % workers.size(), "recovery", &SlabStore::recover, this,
                       slab.get());
  }

 private:
  static Task<void> scan(SlabStore* self, Slab* slab, std::uint32_t first,
                         std::shared_ptr<std::uint32_t> running) {
    co_await slab->scan(self->index_, first, kScansPerDevice, self->stop_);
    if (--*running != 0 || self->stop_)
      co_return;
    slab->seed_lru();
    log::get("cache").info("{}: recovered, {} of {} slots hold blocks", slab->path(), slab->used(),
                           slab->slot_count());
  }

  /// Starts the scans of one device on this worker.
  static Task<void> recover(SlabStore* self, Slab* slab) {
    if (slab->scanned() == slab->slot_count())
      co_return;
    const auto running = std::make_shared<std::uint32_t>(kScansPerDevice);
    for (std::uint32_t first = 0; first < kScansPerDevice; ++first)
      runtime::Worker::current().tasks().spawn("scan", &SlabStore::scan, self, slab, first,
                                               running);
  }

  /// From the device with the most free slots; where none is free, from each in turn.
  std::optional<Slab::Reservation> reserve(Slab*& chosen) {
    const auto emptier = [](const auto& a, const auto& b) {
      return a->free_count() < b->free_count();
    };
    const std::size_t emptiest = static_cast<std::size_t>(
        std::max_element(slabs_.begin(), slabs_.end(), emptier) - slabs_.begin());
    const bool full = slabs_[emptiest]->free_count() == 0;
    const std::size_t first = full ? turn_.fetch_add(1) : emptiest;
    for (std::size_t i = 0; i < slabs_.size(); ++i) {
      chosen = slabs_[(first + i) % slabs_.size()].get();
      if (chosen->failed())
        continue;
      if (auto reservation = chosen->reserve(); reservation)
        return reservation;
    }
    return std::nullopt;
  }

  void drop(const StoredBlock& stored) {
    if (index_.erase(*stored.object, stored.block, stored.device, stored.slot))
      slabs_[stored.device]->release(stored.slot);
  }

  void forget_if_failed(Slab& slab) {
    if (!slab.failed())
      return;
    for (const auto& [object, block] : slab.live_blocks()) {
      if (const auto stored = index_.find(*object, block);
          stored && stored->device == slab.number())
        drop(*stored);
    }
  }

  std::vector<std::unique_ptr<Slab>> slabs_;
  BlockIndex index_;
  std::atomic<std::size_t> turn_{0};
  std::atomic<bool> stop_{false};
};

using Opened = Result<std::unique_ptr<Slab>>;

Task<void> open_slab(std::unique_ptr<io::BlockDevice> device, std::uint32_t number,
                     double writes_per_day, std::shared_ptr<std::promise<Opened>> promise) {
  const bool is_raw = is_raw_device(device->path());
  promise->set_value(co_await Slab::open(std::move(device), is_raw, number, writes_per_day));
}

}  // namespace

Result<std::unique_ptr<DiskStore>> DiskStore::open(const DiskConfig& config, io::IoEngine& engine,
                                                   runtime::WorkerPool& workers) {
  ASSERT(runtime::Worker::current_or_null() == nullptr);
  std::vector<std::unique_ptr<Slab>> slabs;
  for (const DeviceConfig& device_config : config.devices) {
    TRY(auto device, engine.open(device_config.path, device_config.size_bytes));
    auto promise = std::make_shared<std::promise<Opened>>();
    workers.spawn_on(0, "open slab", &open_slab, std::move(device),
                     static_cast<std::uint32_t>(slabs.size()), config.device_writes_per_day,
                     promise);
    TRY(auto slab, promise->get_future().get());
    slabs.push_back(std::move(slab));
  }
  auto store = std::make_unique<SlabStore>(std::move(slabs));
  store->start_recovery(workers);
  return store;
}

}  // namespace forebay::cache
