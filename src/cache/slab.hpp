#pragma once
// One device: its slots, who uses them, and what may be overwritten.
#include "cache/block_index.hpp"
#include "cache/device_health.hpp"
#include "cache/slab_layout.hpp"
#include "cache/slot_order.hpp"
#include "cache/write_budget.hpp"

#include <forebay/base/metrics.hpp>
#include <forebay/cache/purge_list.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace forebay::cache {

/// What recovery works with. Outlives every scan.
struct RecoveryContext {
  BlockIndex& index;
  const PurgeList::Watch& purged;
  const std::atomic<bool>& stop;
};

/// A slot is unscanned until recovery has read its header, then free, being written, or live. A
/// live slot that is being read is pinned: it is no victim, and when it is released meanwhile it
/// becomes free with its last pin. A slot whose write failed is retired. The index is told by the
/// caller, never with the slab's mutex held. A free slot remembers which block its header still
/// names. Any thread; what moves bytes: a worker's.
class Slab {
 public:
  struct Options {
    std::uint32_t number = 0;
    bool is_raw = false;  ///< A block device: never formatted over something else.
    double writes_per_day = 0;
    double prestage_max_share = 0;
    milliseconds prestage_evict_older_than{0};
    std::uint64_t first_sequence = 0;
  };
  /// Reads the superblock, or formats. On a worker's thread.
  static Task<Result<std::unique_ptr<Slab>>> open(std::unique_ptr<io::BlockDevice> device,
                                                  Options options);

  const std::string& path() const { return device_->path(); }
  std::uint32_t number() const { return number_; }
  std::uint32_t slot_count() const { return slot_count_; }
  std::uint32_t used() const;
  std::uint32_t scanned() const { return scanned_.load(std::memory_order_relaxed); }
  bool failed() const { return health_.failed(); }
  /// True once, after the device has failed: for who forgets its blocks.
  bool take_failure() { return failed() && !forgotten_.exchange(true); }
  /// Neither failed nor wedged.
  bool usable() const { return health_.usable(Clock::now()); }
  /// The part of its slots that are free.
  double free_part() const;
  /// Whether reserve() would give a slot now, or why not.
  Room room(Placement placement) const;
  /// How many more blocks, at most `wanted`, may be pre-staged as far as their share goes.
  std::uint32_t room_ahead(std::uint32_t wanted) const;

  /// A slot to write, and the block that had to give way, which the caller erases from the index.
  struct Reservation {
    std::uint32_t slot = 0;
    std::uint64_t sequence = 0;
    std::optional<StoredBlock> victim;  ///< Without checksums.
  };
  std::optional<Reservation> reserve(Placement placement);
  /// Writes a reserved slot in one operation. On failure the slot is not used again, or free where
  /// nothing was tried.
  Task<Result<void>> write(const Reservation& reservation, ObjectPtr object, std::uint32_t block,
                           std::vector<io::PageRef> pages, PageChecksums checksums);
  /// After write() and before the index names the slot: it is live from now on.
  void commit(const StoredBlock& stored, Placement placement);

  /// Reads and verifies pages of a live slot. Errc::not_found where the slot holds another block by
  /// now; corrupt; device_failed; overloaded where the device is wedged.
  Task<Result<void>> read(const StoredBlock& stored, std::uint32_t first_page,
                          std::vector<io::PageRef> pages);
  void touch(const StoredBlock& stored);
  /// The block is no longer in the index. Nothing where its slot holds another one by now.
  void release(const StoredBlock& stored);
  /// Overwrites the header with zeros; the slot is not used before that is done. Nothing where the
  /// slot has been written to since.
  Task<void> erase(const StoredBlock& stored);
  /// Blocks that are released, of keys that begin with `prefix`, and whose header a restart would
  /// find. Without checksums.
  std::vector<StoredBlock> leftovers(std::string_view bucket, std::string_view prefix) const;

  /// Reads the headers of slots `first`, `first + step`, ... and shows in the index what is whole.
  Task<void> scan(const RecoveryContext& context, std::uint32_t first, std::uint32_t step);
  /// After every scan: what they found becomes the cold end of the LRU, by sequence.
  void seed_lru();

  /// Every live block, for a device that has failed. Without checksums.
  std::vector<StoredBlock> live_blocks() const;

 private:
  enum class State : std::uint8_t { unscanned, free, writing, live, released, retired };
  struct Slot {
    State state = State::unscanned;
    bool found_by_scan = false;  ///< Live since before this start, and not used since.
    std::uint32_t pins = 0;
    std::uint32_t block = 0;
    std::uint64_t sequence = 0;
    ObjectPtr object;  ///< Null where the header names nothing.
  };
  struct Metrics {
    metrics::Counter &reads, &read_bytes, &writes, &written_bytes, &evictions, &corrupt, &errors;
    metrics::Gauge &slots, &used_slots, &failed;
  };

  Slab(std::unique_ptr<io::BlockDevice> device, const Options& options,
       const Superblock& superblock, bool fresh);
  static Metrics make_metrics(const std::string& path);
  std::uint32_t victim(Placement placement, TimePoint now) const;
  bool takes_free_slot(Placement placement) const;
  bool is_live(const StoredBlock& stored) const;
  bool pin(const StoredBlock& stored);
  void unpin(std::uint32_t slot);
  void release_locked(const StoredBlock& stored);
  bool pin_for_erasure(const StoredBlock& stored);
  void free_slot(std::uint32_t slot);
  void add_live(int change);
  StoredBlock stored_block(std::uint32_t slot) const;
  Task<Result<void>> transfer(bool is_write, std::uint64_t offset, std::vector<iovec> parts);
  Result<void> verify(const StoredBlock& stored, std::uint32_t first_page,
                      const std::vector<io::PageRef>& pages) const;
  StoredBlock adopt(BlockIndex& index, std::uint32_t slot, SlotHeader header);
  void show_found(BlockIndex& index, const StoredBlock& stored);

  std::unique_ptr<io::BlockDevice> device_;
  std::uint32_t number_;
  SlabUuid uuid_;
  std::uint32_t slot_count_;
  Metrics metrics_;
  DeviceHealth health_;
  std::atomic<bool> forgotten_{false};
  std::atomic<std::uint32_t> scanned_{0};

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  SlotOrder order_;
  WriteBudget budget_;
  std::uint64_t next_sequence_;
  std::uint32_t live_ = 0;
};

}  // namespace forebay::cache
