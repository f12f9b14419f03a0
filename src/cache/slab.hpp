#pragma once
// One device: its slots, who uses them, and what may be overwritten.
#include "cache/block_index.hpp"
#include "cache/device_health.hpp"
#include "cache/slab_layout.hpp"
#include "cache/slot_order.hpp"
#include "cache/write_budget.hpp"

#include <forebay/base/metrics.hpp>
#include <forebay/cache/purge_list.hpp>
#include <forebay/runtime/waiter.hpp>

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
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
/// becomes free with its last pin. A doomed slot is out of use until its header is erased. A write
/// that fails gives the slot back as it was: what it has spoilt does not match its checksums. The
/// index is told by the caller, never with the slab's mutex held. A free slot remembers which block
/// its header still names. Any thread; what moves bytes: a worker's.
class Slab {
 public:
  struct Options {
    std::uint32_t number = 0;  ///< Of the device, for its part of the pool too.
    bool is_raw = false;       ///< A block device: never formatted over something else.
    double writes_per_day = 0;
    double prestage_max_share = 0;
    milliseconds prestage_evict_older_than{0};
    std::uint64_t first_sequence = 0;
    milliseconds stall{0};
    io::BufferPool* pool = nullptr;
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
  /// Neither failed nor stalled.
  bool readable() const { return health_.readable(); }
  /// Readable, and the last write has succeeded.
  bool writable() const { return health_.writable(); }
  /// The part of its slots that are free.
  double free_part() const;
  /// Whether reserve() would give a slot now, or why not.
  Room room(Placement placement) const;
  /// How many more blocks, at most `wanted`, may be pre-staged as far as their share goes.
  std::uint32_t room_ahead(std::uint32_t wanted) const;

  /// A slot to write, and the block that has to give way, which the caller takes from the index.
  struct Reservation {
    std::uint32_t slot = 0;
    std::uint64_t sequence = 0;
    std::optional<StoredBlock> victim;  ///< Without checksums.
  };
  std::optional<Reservation> reserve(Placement placement);
  /// Writes a reserved slot in one operation. commit() follows where it succeeds, else give_back().
  /// The caller keeps the pages charged until this returns.
  Task<Result<void>> write(const Reservation& reservation, const Object& object,
                           std::uint32_t block, const std::vector<io::PageRef>& pages,
                           const PageChecksums& checksums);
  /// After a write and before the index names the slot: it is live from now on, and no victim
  /// before enter().
  void commit(const StoredBlock& stored);
  /// The write has failed: the victim is live again, and no victim before enter(); or the slot is
  /// free.
  void give_back(const Reservation& reservation);
  /// The index names the block: it takes its place in the order, unless it has one or is gone.
  void enter(const StoredBlock& stored, Placement placement);

  /// Reads and verifies pages of a live slot, in `frames` or, where there are none, in frames of
  /// this device's part of the share for reads. Errc::not_found where the slot holds another block
  /// by now; corrupt; device_failed; overloaded where no frames are to be had in time or the device
  /// stalls. In a stall this returns, and the frames stay charged until the device has answered.
  Task<Result<io::Lease>> read(const StoredBlock& stored, std::uint32_t first_page,
                               std::uint32_t count, std::optional<io::Lease> frames,
                               Deadline deadline);
  void touch(const StoredBlock& stored);
  /// The block is no longer in the index. Nothing where its slot holds another one by now.
  void release(const StoredBlock& stored);

  /// As release(); the header is overwritten with zeros, soon, and the slot not used before that.
  /// Nothing where the slot has been written to since.
  void doom(const StoredBlock& stored);
  /// The same for what is left of keys that begin with `prefix` in slots [first, first + count):
  /// blocks that are released, and whose header a restart would find. Returns live blocks, without
  /// checksums, whose slot may bear such a header after a write that failed.
  std::vector<StoredBlock> doom_leftovers(std::string_view bucket, std::string_view prefix,
                                          std::uint32_t first, std::uint32_t count);
  /// Waits until no header is left to be erased, or the device cannot be written now. How many are
  /// left; they are erased when it can be.
  Task<std::uint64_t> wait_erased();

  /// Reads the headers of slots `first`, `first + step`, ... and shows in the index what is whole.
  Task<void> scan(const RecoveryContext& context, std::uint32_t first, std::uint32_t step);
  /// After every scan: what they found becomes the cold end of the LRU, by sequence.
  void seed_lru();

  /// The live blocks in slots [first, first + count). Without checksums.
  std::vector<StoredBlock> live_blocks(std::uint32_t first, std::uint32_t count) const;

 private:
  using Direction = DeviceHealth::Direction;
  enum class State : std::uint8_t { unscanned, free, writing, live, released, doomed };
  struct Slot {
    State state = State::unscanned;
    bool found_by_scan = false;  ///< Live since before this start, and not used since.
    std::uint32_t pins = 0;
    std::uint32_t block = 0;
    std::uint64_t sequence = 0;
    ObjectPtr object;  ///< Null where the header names nothing.
  };
  struct Metrics {
    metrics::Counter &reads, &read_bytes, &writes, &written_bytes, &evictions, &corrupt, &errors,
        &stalls;
    metrics::Gauge &slots, &used_slots, &readable, &writable;
  };
  class Operation;
  struct Reading;

  Slab(std::unique_ptr<io::BlockDevice> device, const Options& options,
       const Superblock& superblock, bool fresh);
  static Metrics make_metrics(const std::string& path);
  std::uint32_t victim(Placement placement, TimePoint now) const;
  bool takes_free_slot(Placement placement) const;
  bool is_live(const StoredBlock& stored) const;
  bool pin(const StoredBlock& stored);
  void unpin(std::uint32_t slot);
  void free_slot(std::uint32_t slot);
  void add_live(int change);
  StoredBlock stored_block(std::uint32_t slot) const;

  // slab_io.cpp: what moves bytes, and what is learnt from it.
  Task<Result<void>> transfer(Direction direction, std::uint64_t offset, std::vector<iovec> parts,
                              std::shared_ptr<runtime::Waiter> waiter);
  static Task<void> perform(Slab* self, std::shared_ptr<Reading> reading);
  Result<void> verify(const StoredBlock& stored, std::uint32_t first_page,
                      const std::vector<io::PageRef>& pages) const;
  void look(TimePoint now);
  void note(const DeviceHealth::Change& change);
  void show_health();

  // slab_erase.cpp
  void doom_slot(std::uint32_t slot);
  void start_erasers();
  std::optional<std::uint32_t> next_doomed();
  void note_erased(std::uint32_t slot, bool erased);
  static Task<void> erase_headers(Slab* self);

  // recovery.cpp
  StoredBlock adopt(BlockIndex& index, std::uint32_t slot, SlotHeader header);
  void show_found(BlockIndex& index, const StoredBlock& stored);
  void enter_found(const StoredBlock& stored);

  std::unique_ptr<io::BlockDevice> device_;
  std::uint32_t number_;
  io::BufferPool& pool_;
  SlabUuid uuid_;
  std::uint32_t slot_count_;
  Metrics metrics_;
  DeviceHealth health_;
  std::mutex shown_mutex_;  ///< Held while health is shown: the last to show it shows the newest.
  std::atomic<bool> forgotten_{false};
  std::atomic<std::uint32_t> scanned_{0};
  runtime::WaitList purges_;  ///< Waiting for headers to be erased.

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::vector<Slot> slots_;
  Lru free_;  ///< The one that has been free longest is used first.
  SlotOrder order_;
  WriteBudget budget_;
  std::uint64_t next_sequence_;
  std::uint32_t live_ = 0;
  /// Slots whose last write failed: their header may name this.
  std::unordered_map<std::uint32_t, ObjectPtr> attempted_;
  std::deque<std::uint32_t> doomed_;  ///< Whose turn has not come.
  std::uint32_t erasing_ = 0;
  std::uint32_t erasers_ = 0;
};

/// An aligned header of zeros, for O_DIRECT.
class HeaderBuffer {
 public:
  HeaderBuffer();
  HeaderBytes bytes() { return HeaderBytes{data_.get(), kHeaderSize}; }
  std::vector<iovec> parts() { return {{data_.get(), kHeaderSize}}; }

 private:
  struct Free {
    void operator()(std::byte* data) const;
  };
  std::unique_ptr<std::byte, Free> data_;
};

}  // namespace forebay::cache
