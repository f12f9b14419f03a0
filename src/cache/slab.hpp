#pragma once
// One device: its slots, who uses them, and what may be overwritten.
#include "cache/block_index.hpp"
#include "cache/lru.hpp"
#include "cache/slab_layout.hpp"
#include "cache/write_budget.hpp"

#include <forebay/base/metrics.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace forebay::cache {

/// A slot is unscanned until recovery has read its header, then free, being written, or live. A
/// live slot that is being read is pinned: it is no victim, and when it is released meanwhile it
/// becomes free with its last pin. The index is told by the caller, never with the slab's mutex
/// held. Any thread; what moves bytes: a worker's.
class Slab {
 public:
  /// Reads the superblock, or formats. On a worker's thread. `is_raw`: a block device, which is
  /// never formatted over something else.
  static Task<Result<std::unique_ptr<Slab>>> open(std::unique_ptr<io::BlockDevice> device,
                                                  bool is_raw, std::uint32_t number,
                                                  double writes_per_day);

  const std::string& path() const { return device_->path(); }
  std::uint32_t number() const { return number_; }
  std::uint32_t slot_count() const { return slot_count_; }
  bool failed() const { return failed_.load(std::memory_order_relaxed); }
  std::uint32_t used() const;
  std::uint32_t scanned() const { return scanned_.load(std::memory_order_relaxed); }
  /// Free slots, and whether a live one may be overwritten now.
  std::uint32_t free_count() const;
  bool may_overwrite() const;

  /// A slot to write, and the block that had to give way, which the caller erases from the index.
  struct Reservation {
    std::uint32_t slot = 0;
    std::uint64_t sequence = 0;
    std::optional<std::pair<ObjectPtr, std::uint32_t>> victim;
  };
  std::optional<Reservation> reserve();
  /// Writes a reserved slot in one operation. On failure the slot is free again.
  Task<Result<void>> write(const Reservation& reservation, ObjectPtr object, std::uint32_t block,
                           std::vector<io::PageRef> pages, PageChecksums checksums);
  /// After write() and before the index names the slot: it is live from now on.
  void commit(const Reservation& reservation, ObjectPtr object, std::uint32_t block,
              Placement placement);

  /// Reads and verifies pages of a live slot. Errc::not_found where the slot holds another block by
  /// now; corrupt; device_failed.
  Task<Result<void>> read(const StoredBlock& stored, std::uint32_t first_page,
                          std::vector<io::PageRef> pages);
  void touch(std::uint32_t slot);
  /// The slot's block is no longer in the index.
  void release(std::uint32_t slot);
  /// Overwrites the header with zeros, then release().
  Task<void> erase(std::uint32_t slot);

  /// Reads the headers of slots `first`, `first + step`, ... and shows in the index what is whole.
  /// Ends early when `stop` is set.
  Task<void> scan(BlockIndex& index, std::uint32_t first, std::uint32_t step,
                  const std::atomic<bool>& stop);
  /// After every scan: what they found becomes the cold end of the LRU, by sequence.
  void seed_lru();

  /// Every live block, for a device that has failed.
  std::vector<std::pair<ObjectPtr, std::uint32_t>> live_blocks() const;

 private:
  enum class State : std::uint8_t { unscanned, free, writing, live, released };
  struct Slot {
    State state = State::unscanned;
    bool found_by_scan = false;  ///< Live since before this start, and not used since.
    std::uint32_t pins = 0;
    std::uint32_t block = 0;
    std::uint64_t sequence = 0;
    ObjectPtr object;
  };
  struct Metrics {
    metrics::Counter &reads, &writes, &evictions, &corrupt, &errors;
  };

  Slab(std::unique_ptr<io::BlockDevice> device, std::uint32_t number, const Superblock& superblock,
       double writes_per_day, bool fresh);
  bool pin(const StoredBlock& stored);
  void unpin(std::uint32_t slot);
  void free_slot(std::uint32_t slot);
  void note_result(bool ok);
  Result<void> verify(const StoredBlock& stored, std::uint32_t first_page,
                      const std::vector<io::PageRef>& pages) const;
  void adopt(BlockIndex& index, std::uint32_t slot, Result<SlotHeader> header);

  std::unique_ptr<io::BlockDevice> device_;
  std::uint32_t number_;
  SlabUuid uuid_;
  std::uint32_t slot_count_;
  Metrics metrics_;
  std::atomic<bool> failed_{false};
  std::atomic<std::uint32_t> errors_in_a_row_{0};
  std::atomic<std::uint32_t> scanned_{0};

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  Lru lru_;
  WriteBudget budget_;
  std::uint64_t next_sequence_;
  std::uint32_t live_ = 0;
};

}  // namespace forebay::cache
