#pragma once
// A fill: one ranged GET over a run of missing blocks, cut into blocks as it arrives. Readers hold
// an interest in it; none owns it.
#include "cache/fill_traffic.hpp"

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
  FillTraffic& traffic;
  milliseconds stall;
  milliseconds wait;  ///< For frames and slots, once begun.
};

/// A reader's stake in a fill: its key may be used when another's is refused, and its position says
/// how far ahead the fill may run.
struct Interest {
  FetcherPtr fetcher;
  std::atomic<std::uint64_t> position{0};
};
using InterestPtr = std::shared_ptr<Interest>;

/// What a fill starts with.
struct FillStart {
  FetcherPtr fetcher;
  std::unique_ptr<ByteSource> source;  ///< Open already, at the first block; or null.
  FillTraffic::Permit slot;            ///< Of its class; or none yet.
  Deadline queue = Deadline::never();  ///< For the slot, where there is none yet.
};

/// Shared by its task, the RAM tier's claims and the readers. Any thread, but for run(). One that
/// nobody waits for has begun when its body is open; until then a reader's own fill takes its
/// blocks over, so that nobody waits for what only waits itself.
class Fill {
  enum class Stage { waiting, given_up, begun };

 public:
  /// An empty run at `first_block`: it grows by grow() as blocks are claimed for it, before run()
  /// starts.
  Fill(ObjectPtr object, std::uint32_t first_block, FillReason reason)
      : object_{std::move(object)},
        first_block_{first_block},
        end_block_{first_block},
        at_block_{first_block},
        reason_{reason},
        stage_{reason == FillReason::demand ? Stage::begun : Stage::waiting} {}

  std::uint32_t first_block() const { return first_block_; }
  std::uint32_t end_block() const { return end_block_; }
  void grow() { ++end_block_; }
  FillReason reason() const { return reason_; }
  /// Whether it has not begun and nobody waits for it: to a reader its blocks are not on their way.
  bool gives_way() const { return stage_.load() != Stage::begun; }
  /// Ends it in favour of another, unless it has begun.
  bool give_way();
  bool has_given_way() const { return stage_.load() == Stage::given_up; }
  /// Whether a reader waits for it.
  bool is_wanted() const;
  /// The block that it is at.
  std::uint32_t at_block() const { return at_block_; }

  InterestPtr add_interest(const FetcherPtr& fetcher, std::uint64_t position);
  void remove_interest(const InterestPtr& interest);
  /// The reader has come to `position`: a fill that waits for it may go on.
  void moved(Interest& interest, std::uint64_t position);

  /// Set once the fill has ended; why, where it failed.
  std::optional<Error> failure() const;

  /// The fill's task. Every block of the run is claimed for it already; each claim is ended,
  /// whatever happens.
  static Task<void> run(FillContext context, std::shared_ptr<Fill> self, FillStart start);
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
  static Task<Result<void>> take_slot(FillContext& context, Fill& self, Progress& progress);
  static Task<bool> wanted(FillContext& context, Fill& self, Progress& progress,
                           bool will_be_stored);
  static bool yields_to_demand(FillContext& context, Fill& self, Progress& progress);
  FetcherPtr next_fetcher(const std::vector<std::string>& refused) const;

  ObjectPtr object_;
  std::uint32_t first_block_;
  std::atomic<std::uint32_t> end_block_;
  std::atomic<std::uint32_t> at_block_;
  FillReason reason_;
  std::atomic<Stage> stage_;

  mutable std::mutex mutex_;
  std::vector<InterestPtr> interests_;  ///< Guarded by mutex_.
  std::shared_ptr<runtime::Waiter>
      task_waiter_;  ///< Guarded by mutex_: the fill waits for its readers.
  std::vector<std::shared_ptr<runtime::Waiter>> done_waiters_;  ///< Guarded by mutex_.
  std::optional<Error> failure_;                                ///< Guarded by mutex_.
  bool done_ = false;                                           ///< Guarded by mutex_.
};

}  // namespace forebay::cache
