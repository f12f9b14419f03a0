#pragma once
// Which pages are in RAM, which are on their way, and who waits for them.
#include <forebay/cache/block_cache.hpp>
#include <forebay/runtime/waiter.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace forebay::cache {

/// 64 mutex-guarded shards by block; the mutex of a shard is held for map operations only. A page
/// is absent, claimed by a disk read, being filled (readable up to the fill's watermark), or ready.
/// Resident pages nobody refers to are given back to the pool by a CLOCK sweep, an LRU that costs a
/// hit one relaxed store. Any thread.
class RamTier {
 public:
  /// Installs itself as the pool's reclaimer; the pool must outlive it.
  explicit RamTier(io::BufferPool& pool);
  RamTier(const RamTier&) = delete;
  RamTier& operator=(const RamTier&) = delete;
  ~RamTier();

  enum class State { bytes, on_its_way, absent };
  struct Access {
    State state = State::absent;
    View view;                   ///< State::bytes
    bool touch = false;          ///< The disk's LRU has not heard of the block for a while.
    std::shared_ptr<Fill> fill;  ///< The fill that brings the block, if any has begun to.
  };
  /// Up to `want` bytes at `offset` of the block. `waiter` (may be null) is kept, but only for
  /// State::on_its_way, and woken when the block's pages or its fill have changed, or the fill has
  /// brought all that is wanted, or kWorthWaking bytes of it.
  Access access(const Object& object, std::uint32_t block, std::uint32_t offset, std::uint32_t want,
                const std::shared_ptr<runtime::Waiter>& waiter);

  /// Whether every byte of [first, last] of the block is ready.
  bool ready(const Object& object, std::uint32_t block, std::uint32_t first,
             std::uint32_t last) const;
  /// Whether a fill that has begun, or will begin at once, has claimed the block.
  bool filling(const Object& object, std::uint32_t block) const;

  // A disk read: claim, then publish or release.

  struct PageRun {
    std::uint32_t first = 0;
    std::uint32_t count = 0;
  };
  /// Claims the first run of absent pages of [first, end), at most `most` of them. A count of 0:
  /// there are none, or a fill has the block.
  PageRun claim_pages(const ObjectPtr& object, std::uint32_t block, std::uint32_t first,
                      std::uint32_t end, std::uint32_t most);
  void publish_pages(const Object& object, std::uint32_t block, std::uint32_t first,
                     const std::vector<io::PageRef>& pages);
  void release_pages(const Object& object, std::uint32_t block, std::uint32_t first,
                     std::uint32_t count);

  // A fill: claim the block, begin it with frames, advance the watermark, end it.

  /// False where a disk read or another fill has pages of the block claimed, or it is here whole. A
  /// reader's fill takes the block over from one that gives way.
  bool claim_fill(const ObjectPtr& object, std::uint32_t block, const std::shared_ptr<Fill>& fill);
  void begin_fill(const Object& object, std::uint32_t block, const std::vector<io::PageRef>& pages);
  /// The claim stays; the frames and the bytes that came go, until the next begin_fill().
  void restart_fill(const Object& object, std::uint32_t block);
  /// Bytes [0, watermark) of the block may be read.
  void advance_fill(const Object& object, std::uint32_t block, std::uint32_t watermark);
  /// The block is whole. False where a purge has doomed it meanwhile: it is gone and must not be
  /// written.
  bool finish_fill(const Object& object, std::uint32_t block);
  /// Gives the claim up, unless another fill has taken the block over; bytes that came are
  /// forgotten.
  void abandon_fill(const Object& object, std::uint32_t block, const Fill& fill);

  /// Forgets ready pages of keys with that prefix and dooms fills in progress; how many blocks.
  std::size_t purge(std::string_view bucket, std::string_view prefix);

 private:
  /// A reader is not woken for every little that a fill receives, unless it comes slowly.
  static constexpr std::uint32_t kWorthWaking = 64 * KiB;
  static constexpr milliseconds kWakesApart{20};
  static constexpr std::uint32_t kNever = ~0U;
  /// How exactly the disk's LRU orders blocks that are read from RAM.
  static constexpr milliseconds kTouchEvery{1'000};

  struct Entry {
    ObjectPtr object;
    std::array<io::PageRef, kPagesPerBlock> pages;
    std::uint32_t ready = 0;    ///< Bit per page.
    std::uint32_t claimed = 0;  ///< Bit per page: a disk read is bringing it.
    std::shared_ptr<Fill> fill;
    std::uint32_t watermark = 0;     ///< Only with fill.
    bool doomed = false;             ///< Purged while it was on its way.
    std::uint32_t wake_at = kNever;  ///< The watermark that the first of the waiters waits for.
    TimePoint woken;                 ///< When waiters were woken last.
    TimePoint touched;               ///< When Access::touch was last said.
    std::vector<std::shared_ptr<runtime::Waiter>> waiters;

    bool is_of(const Object& other) const {
      return object.get() == &other || object->identity() == other.identity();
    }
    void wake();
    bool idle() const { return ready == 0 && claimed == 0 && !fill; }
  };
  struct alignas(64) Shard {
    mutable std::mutex mutex;
    std::unordered_map<Hash128, Entry> entries;
  };
  /// Where a frame is resident. Written under the shard's mutex; the sweep reads it without, and
  /// looks again under the mutex, so a torn read only misses.
  struct Residence {
    std::atomic<std::uint64_t> block_high{0};
    std::atomic<std::uint64_t> block_low{0};
    std::atomic<std::uint32_t> page{0};
    std::atomic<bool> referenced{false};
    std::atomic<bool> resident{false};
  };
  static constexpr std::size_t kShards = 64;

  Shard& shard(const Hash128& hash) const { return shards_[hash.high % kShards]; }
  Entry* find(Shard& shard, const Hash128& hash) const;
  void settle(Shard& shard, const Hash128& hash, Entry& entry, std::uint32_t first,
              std::uint32_t count);
  void make_resident(const Hash128& hash, Entry& entry, std::uint32_t page);
  void evict(Entry& entry, std::uint32_t page);
  View collect(const Entry& entry, std::uint32_t offset, std::uint32_t want, std::uint32_t length);
  std::size_t reclaim(std::size_t wanted);

  io::BufferPool& pool_;
  std::unique_ptr<Shard[]> shards_;
  std::vector<Residence> residences_;
  std::mutex sweep_mutex_;
  std::size_t hand_ = 0;  ///< Guarded by sweep_mutex_.
};

}  // namespace forebay::cache
