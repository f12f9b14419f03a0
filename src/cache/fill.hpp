#pragma once
// A fill: one ranged GET over a run of missing blocks, cut into blocks as it arrives. Readers hold
// an interest in it; none owns it.
#include <forebay/cache/block_cache.hpp>
#include <forebay/runtime/waiter.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace forebay::cache {

class RamTier;

/// What a fill works with. Outlives every fill: the daemon drains the workers before it destroys
/// the cache.
struct FillContext {
  io::BufferPool& pool;
  RamTier& ram;
  DiskStore* disk;  ///< May be null.
  milliseconds stall;
  milliseconds buffer_wait;
};

/// A reader's stake in a fill: its key may be used when another's is refused, and its position says
/// how far ahead the fill may run.
struct Interest {
  FetcherPtr fetcher;
  std::atomic<std::uint64_t> position{0};
};
using InterestPtr = std::shared_ptr<Interest>;

/// Shared by its task, the RAM tier's claims and the readers. Any thread, but for run().
class Fill {
 public:
  /// An empty run at `first_block`: it grows by grow() as blocks are claimed for it, before run()
  /// starts.
  Fill(ObjectPtr object, std::uint32_t first_block, FillReason reason)
      : object_{std::move(object)},
        first_block_{first_block},
        end_block_{first_block},
        at_block_{first_block},
        reason_{reason} {}

  std::uint32_t first_block() const { return first_block_; }
  std::uint32_t end_block() const { return end_block_; }
  void grow() { ++end_block_; }
  /// The block that it is at.
  std::uint32_t at_block() const { return at_block_; }

  InterestPtr add_interest(const FetcherPtr& fetcher, std::uint64_t position);
  void remove_interest(const InterestPtr& interest);
  /// The reader has come to `position`: a fill that waits for it may go on.
  void moved(Interest& interest, std::uint64_t position);

  /// Set once the fill has ended; why, where it failed.
  std::optional<Error> failure() const;

  /// The fill's task. Every block of the run is claimed for it already; each claim is ended,
  /// whatever happens. `source` may be open already, at the first block. `fetcher` is the one it
  /// starts with.
  static Task<void> run(FillContext context, std::shared_ptr<Fill> self,
                        std::unique_ptr<ByteSource> source, FetcherPtr fetcher);
  /// Ends when the task does.
  Task<void> wait_done();

 private:
  struct Progress;

  static Task<Result<void>> run_blocks(FillContext& context, Fill& self, Progress& progress);
  static Task<Result<void>> fill_block(FillContext& context, Fill& self, Progress& progress);
  static Task<Result<io::Lease>> bring(FillContext& context, Fill& self, Progress& progress);
  static Task<Result<void>> receive(FillContext& context, Fill& self, Progress& progress,
                                    io::Lease& lease);
  static Task<Result<void>> open_source(Fill& self, Progress& progress, std::uint64_t offset);
  static Task<bool> wanted(Fill& self, Progress& progress, bool will_be_stored);
  FetcherPtr next_fetcher(const std::vector<std::string>& refused) const;

  ObjectPtr object_;
  std::uint32_t first_block_;
  std::atomic<std::uint32_t> end_block_;
  std::atomic<std::uint32_t> at_block_;
  FillReason reason_;

  mutable std::mutex mutex_;
  std::vector<InterestPtr> interests_;  ///< Guarded by mutex_.
  std::shared_ptr<runtime::Waiter>
      task_waiter_;  ///< Guarded by mutex_: the fill waits for its readers.
  std::vector<std::shared_ptr<runtime::Waiter>> done_waiters_;  ///< Guarded by mutex_.
  std::optional<Error> failure_;                                ///< Guarded by mutex_.
  bool done_ = false;                                           ///< Guarded by mutex_.
};

}  // namespace forebay::cache
