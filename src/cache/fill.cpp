#include "cache/fill.hpp"

#include "cache/ram_tier.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/base/errc.hpp>
#include <forebay/base/log.hpp>
#include <forebay/base/metrics.hpp>

#include <algorithm>
#include <utility>

namespace forebay::cache {
namespace {

/// A fill whose blocks will not be kept on disk stays this close before its furthest reader: what
/// nobody comes for is not fetched.
constexpr std::uint64_t kLead = 2 * kBlockSize;
/// Different keys a refusal is tried with.
constexpr std::size_t kFetchersMax = 3;
/// How long a block that nobody waits for may stand in line for its slot.
constexpr milliseconds kWritePatience{5'000};

struct FillMetrics {
  metrics::Counter& completed = metrics::Registry::instance().counter(
      "forebay_cache_fills_total", "Fills that ended.", {{"result", "ok"}});
  metrics::Counter& failed = metrics::Registry::instance().counter(
      "forebay_cache_fills_total", "Fills that ended.", {{"result", "failed"}});
  metrics::Counter& unwanted = metrics::Registry::instance().counter(
      "forebay_cache_fills_total", "Fills that ended.", {{"result", "unwanted"}});
  metrics::Gauge& active =
      metrics::Registry::instance().gauge("forebay_cache_fills_active", "Fills in progress.");
  metrics::Counter& replaced = metrics::Registry::instance().counter(
      "forebay_cache_fill_replacements_total",
      "Origin requests of a fill that stalled or broke and were replaced.");
  metrics::Counter& not_stored = metrics::Registry::instance().counter(
      "forebay_cache_blocks_not_stored_total",
      "Filled blocks that were not written to disk: no slot, token or write share.");

  static FillMetrics& get() {
    static FillMetrics instance;
    return instance;
  }
};

/// What a block holds on its way to its slot.
struct WriteCharge {
  FillTraffic::Permit turn;  ///< None for a block that a reader waited for.
  DiskStore::Admission admission;
};

Task<void> write_slot(DiskStore* disk, ObjectPtr object, std::uint32_t block, WriteCharge charge,
                      PageChecksums checksums, Placement placement, PurgeList::Watch purges) {
  const Result<void> written =
      co_await disk->write(std::move(object), block, std::move(charge.admission), checksums,
                           placement, std::move(purges));
  if (!written)
    FillMetrics::get().not_stored.add();
}

/// What a reader waits for is read as soon as it is here.
Placement placement_of(FillReason reason, bool is_wanted) {
  return reason == FillReason::prestage && !is_wanted ? Placement::cold : Placement::hot;
}

/// A device for a block, and its part of the share for writes. A reader does not wait for its
/// block's way to a slot: where there is no room now, the block is served and not stored. What
/// nobody waits for goes at the devices' pace.
Task<std::optional<WriteCharge>> charge_write(const FillContext& context, bool is_wanted,
                                              Placement placement, std::vector<io::PageRef> pages) {
  WriteCharge charge;
  const Deadline deadline = Deadline::after(is_wanted ? milliseconds::zero() : kWritePatience);
  if (!is_wanted) {
    charge.turn = co_await context.traffic.background_writes().acquire(deadline);
    if (!charge.turn)
      co_return std::nullopt;
  }
  auto admission = co_await context.disk->admit(std::move(pages), placement, deadline);
  if (!admission)
    co_return std::nullopt;
  charge.admission = std::move(admission).value();
  co_return std::move(charge);
}

}  // namespace

/// What the task knows between blocks.
struct Fill::Progress {
  std::uint32_t block =
      0;  ///< The block being filled; claims are held from here to the end of the run.
  std::unique_ptr<ByteSource> source;  ///< Open at the next byte wanted, or null.
  FetcherPtr fetcher;
  bool replaced = false;  ///< The one replacement has been spent.
  bool is_kept = true;    ///< The last block has been given to a device, as far as there is one.
  FillTraffic::Class slot_class = FillTraffic::Class::demand;
  FillTraffic::Permit slot;            ///< Held while frames may be.
  FillTraffic::Demand demand;          ///< Held with a slot while readers wait.
  Deadline queue = Deadline::never();  ///< For a slot that is to be had.
  PageChecksums checksums{};
};

InterestPtr Fill::add_interest(const FetcherPtr& fetcher, std::uint64_t position) {
  auto interest = std::make_shared<Interest>();
  interest->fetcher = fetcher;
  interest->position = position;
  const std::lock_guard lock{mutex_};
  interests_.push_back(interest);
  if (task_waiter_)
    task_waiter_->wake();
  return interest;
}

void Fill::remove_interest(const InterestPtr& interest) {
  const std::lock_guard lock{mutex_};
  std::erase(interests_, interest);
  if (task_waiter_)
    task_waiter_->wake();
}

void Fill::moved(Interest& interest, std::uint64_t position) {
  interest.position = position;
  const std::lock_guard lock{mutex_};
  if (task_waiter_)
    task_waiter_->wake();
}

std::optional<Error> Fill::failure() const {
  const std::lock_guard lock{mutex_};
  return failure_;
}

Task<void> Fill::wait_done() {
  const std::shared_ptr<runtime::Waiter> waiter = runtime::Waiter::create();
  {
    const std::lock_guard lock{mutex_};
    if (done_)
      co_return;
    done_waiters_.push_back(waiter);
  }
  co_await waiter->wait(Deadline::never());
}

bool Fill::give_way() {
  Stage expected = Stage::waiting;
  return stage_.compare_exchange_strong(expected, Stage::given_up) || expected == Stage::given_up;
}

bool Fill::is_wanted() const {
  const std::lock_guard lock{mutex_};
  return reason_ == FillReason::demand || !interests_.empty();
}

FetcherPtr Fill::next_fetcher(const std::vector<std::string>& refused) const {
  const std::lock_guard lock{mutex_};
  for (const InterestPtr& interest : interests_) {
    const std::string_view caller = interest->fetcher->caller();
    if (std::find(refused.begin(), refused.end(), caller) == refused.end())
      return interest->fetcher;
  }
  return nullptr;
}

Task<Result<void>> Fill::open_source(Fill& self, Progress& progress, std::uint64_t offset) {
  const std::uint64_t end =
      std::min(self.object_->identity().size, std::uint64_t{self.end_block()} * kBlockSize);
  std::vector<std::string> refused;
  for (;;) {
    const FillReason reason = self.is_wanted() ? FillReason::demand : self.reason_;
    const Deadline queue = reason == FillReason::demand ? progress.queue : Deadline::never();
    auto opened =
        co_await progress.fetcher->open(self.object_, offset, end - offset, reason, queue);
    if (opened) {
      Stage expected = Stage::waiting;
      if (!self.stage_.compare_exchange_strong(expected, Stage::begun) &&
          expected == Stage::given_up)
        co_return Errc::cancelled;
      progress.source = std::move(opened).value();
      co_return success();
    }
    if (opened.error() != Errc::refused || refused.size() + 1 == kFetchersMax)
      co_return opened.error();
    refused.emplace_back(progress.fetcher->caller());
    FetcherPtr other = self.next_fetcher(refused);
    if (!other)
      co_return opened.error();
    progress.fetcher = std::move(other);
  }
}

/// Receives the current block into the lease's frames, checksumming each page as it becomes whole.
Task<Result<void>> Fill::receive(FillContext& context, Fill& self, Progress& progress,
                                 io::Lease& lease) {
  const std::uint32_t length = self.object_->block_length(progress.block);
  std::uint32_t received = 0;
  while (received < length) {
    const std::size_t page = received / kPageSize;
    const std::size_t in_page = received % kPageSize;
    const std::size_t room = std::min<std::size_t>(kPageSize - in_page, length - received);
    const std::span<std::byte> target{lease.pages[page].data() + in_page, room};
    CO_TRY(const std::size_t got,
           co_await progress.source->read(target, Deadline::after(context.stall)));
    if (got == 0)
      co_return Errc::truncated;
    received += static_cast<std::uint32_t>(got);
    if (received % kPageSize == 0 || received == length)
      progress.checksums[page] = page_checksum(lease.pages[page].data(), in_page + got);
    context.ram.advance_fill(*self.object_, progress.block, received);
  }
  co_return success();
}

/// A slot, and the mark of demand where readers wait. A fill of the background for which they have
/// come to wait changes over to their class as soon as that has a slot.
Task<Result<void>> Fill::take_slot(FillContext& context, Fill& self, Progress& progress) {
  using Class = FillTraffic::Class;
  const bool wanted = self.is_wanted();
  if (wanted && progress.slot && progress.slot_class == Class::background) {
    if (FillTraffic::Permit slot = context.traffic.slots(Class::demand).try_acquire(); slot) {
      progress.slot = std::move(slot);
      progress.slot_class = Class::demand;
    }
  }
  runtime::Budget& slots = context.traffic.slots(progress.slot_class);
  if (!progress.slot)
    progress.slot = slots.try_acquire();
  if (!progress.slot) {
    // Who holds a slot may wait for a connection, so nobody may wait the other way round.
    progress.source.reset();
    progress.slot = co_await slots.acquire(progress.queue);
  }
  if (!progress.slot)
    co_return Errc::overloaded;
  progress.demand = wanted ? FillTraffic::Demand{context.traffic} : FillTraffic::Demand{};
  co_return success();
}

/// The current block whole, in frames. A body that breaks or stalls is replaced, once: from the
/// block's start, since whoever holds frames must never wait for a connection.
Task<Result<io::Lease>> Fill::bring(FillContext& context, Fill& self, Progress& progress) {
  const std::uint32_t pages = page_count(self.object_->block_length(progress.block));
  for (;;) {
    if (!progress.source) {
      CO_TRY(co_await open_source(self, progress, std::uint64_t{progress.block} * kBlockSize));
    }
    const io::Share share =
        progress.slot_class == FillTraffic::Class::demand ? io::Share::fill : io::Share::background;
    CO_TRY(io::Lease lease,
           co_await context.pool.acquire(share, pages, Deadline::after(context.wait)));
    context.ram.begin_fill(*self.object_, progress.block, lease.pages);
    const Result<void> received = co_await receive(context, self, progress, lease);
    if (received)
      co_return std::move(lease);
    progress.source.reset();
    if (std::exchange(progress.replaced, true))
      co_return received.error();
    FillMetrics::get().replaced.add();
    progress.queue = Deadline::after(context.wait);
    context.ram.restart_fill(*self.object_, progress.block);
  }
}

Task<Result<void>> Fill::fill_block(FillContext& context, Fill& self, Progress& progress) {
  CO_TRY(const io::Lease lease, co_await bring(context, self, progress));
  // A purge finds the block in RAM until it is whole, and only this watch knows of it from then on
  // until it is on the device.
  std::optional<PurgeList::Watch> purges;
  if (context.disk != nullptr)
    purges.emplace(context.disk->watch_purges());
  const bool keep = context.ram.finish_fill(*self.object_, progress.block);
  const std::uint32_t block = progress.block++;
  self.at_block_ = progress.block;
  if (!keep || !purges)
    co_return success();
  const bool wanted = self.is_wanted();
  const Placement placement = placement_of(self.reason_, wanted);
  std::optional<WriteCharge> held;
  if (context.disk->admits(placement))
    held = co_await charge_write(context, wanted, placement, lease.pages);
  progress.is_kept = held.has_value();
  if (!held) {
    FillMetrics::get().not_stored.add();
    co_return success();
  }
  runtime::Worker::current().tasks().spawn("slot write", &write_slot, context.disk, self.object_,
                                           block, std::move(*held), progress.checksums, placement,
                                           *std::move(purges));
  co_return success();
}

/// Whether the fill should go on with `block`. Waits while the block would not be stored and no
/// reader is near; where that takes long, the connection to the origin goes to who needs it.
Task<bool> Fill::wanted(FillContext& context, Fill& self, Progress& progress, bool will_be_stored) {
  constexpr milliseconds kConnectionHeld{1'000};
  if (self.reason_ != FillReason::demand)
    co_return true;
  const std::uint64_t start = std::uint64_t{progress.block} * kBlockSize;
  const std::shared_ptr<runtime::Waiter> waiter = runtime::Waiter::create();
  Deadline patience = Deadline::after(kConnectionHeld);
  for (;;) {
    {
      const std::lock_guard lock{self.mutex_};
      self.task_waiter_.reset();
      if (self.interests_.empty())
        co_return false;
      const auto near = [start](const InterestPtr& interest) {
        return interest->position.load() + kLead >= start;
      };
      if (will_be_stored || std::any_of(self.interests_.begin(), self.interests_.end(), near))
        co_return true;
      self.task_waiter_ = waiter;
    }
    progress.slot = {};
    progress.demand = {};
    const bool woken = co_await waiter->wait(patience);
    if (!woken) {
      progress.source.reset();
      patience = Deadline::never();
    }
    progress.queue = Deadline::after(context.wait);
  }
}

/// Ends a run that nobody waits for at this block where readers wait for other fills: what is left
/// of it is asked for again when they have gone.
bool Fill::yields_to_demand(FillContext& context, Fill& self, Progress& progress) {
  if (self.is_wanted() || !context.traffic.has_demand())
    return false;
  self.end_block_ = progress.block;
  return true;
}

Task<Result<void>> Fill::run_blocks(FillContext& context, Fill& self, Progress& progress) {
  while (progress.block < self.end_block()) {
    const bool stored = context.disk != nullptr &&
                        context.disk->admits(placement_of(self.reason_, self.is_wanted()));
    // What nobody waits for and cannot be kept would only push hot pages out. A reader who came to
    // follow it starts a fill of its own.
    if (self.reason_ != FillReason::demand && context.disk != nullptr && !stored)
      co_return Errc::cancelled;
    if (progress.block != self.first_block_) {
      if (yields_to_demand(context, self, progress))
        break;
      // Where devices are slower than the origin, blocks go to RAM alone: at their readers' pace.
      const bool go_on = co_await wanted(context, self, progress, stored && progress.is_kept);
      if (!go_on)
        co_return Errc::cancelled;
    }
    CO_TRY(co_await take_slot(context, self, progress));
    CO_TRY(co_await fill_block(context, self, progress));
  }
  co_return success();
}

Task<void> Fill::run(FillContext context, std::shared_ptr<Fill> self, FillStart start) {
  FillMetrics& metrics = FillMetrics::get();
  metrics.active.add(1);
  Progress progress;
  progress.block = self->first_block_;
  progress.source = std::move(start.source);
  progress.fetcher = std::move(start.fetcher);
  progress.slot = std::move(start.slot);
  progress.queue = start.queue;
  if (self->reason_ != FillReason::demand)
    progress.slot_class = FillTraffic::Class::background;
  const std::uint32_t claimed_end = self->end_block();
  const Result<void> result = co_await run_blocks(context, *self, progress);
  progress.source.reset();
  progress.slot = {};
  progress.demand = {};

  std::vector<std::shared_ptr<runtime::Waiter>> done;
  {
    const std::lock_guard lock{self->mutex_};
    self->done_ = true;
    if (!result)
      self->failure_ = result.error();
    done.swap(self->done_waiters_);
  }
  // Claims end after the failure is known: who is woken by it must see why.
  for (std::uint32_t block = progress.block; block < claimed_end; ++block)
    context.ram.abandon_fill(*self->object_, block, *self);
  for (const auto& waiter : done)
    waiter->wake();
  metrics.active.add(-1);
  if (result) {
    metrics.completed.add();
  } else if (result.error() == Errc::cancelled) {
    metrics.unwanted.add();
  } else {
    metrics.failed.add();
    log::get("cache").warn("fill of {:?}/{:?} blocks {}-{} failed at {}: {}",
                           self->object_->identity().bucket, self->object_->identity().key,
                           self->first_block_, self->end_block() - 1, progress.block,
                           result.error().message());
  }
}

}  // namespace forebay::cache
