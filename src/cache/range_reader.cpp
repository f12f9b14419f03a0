#include "cache/fill.hpp"
#include "cache/fill_traffic.hpp"
#include "cache/ram_tier.hpp"

#include <forebay/base/errc.hpp>
#include <forebay/base/metrics.hpp>
#include <forebay/cache/block_cache.hpp>

#include <algorithm>
#include <utility>

namespace forebay::cache {
namespace {

/// Attempts to bring one position in before the reader gives up on the cache. More than one,
/// because a page may be evicted, or a block dropped as corrupt, between its arrival and the
/// reader's turn.
constexpr int kAttemptsMax = 4;
/// Failed fills of one position before the reader gives up on the cache.
constexpr int kFailuresMax = 2;
/// What one origin body may fill when it was opened for the whole object.
constexpr std::uint32_t kAdoptedBlocksMax = 256;

std::uint32_t block_of(std::uint64_t offset) {
  return static_cast<std::uint32_t>(offset / kBlockSize);
}
std::uint32_t in_block(std::uint64_t offset) {
  return static_cast<std::uint32_t>(offset % kBlockSize);
}

struct WaitMetrics {
  static metrics::Counter& waits(const char* what) {
    return metrics::Registry::instance().counter(
        "forebay_cache_reader_waits_total",
        "Times that a reader had sent all that was here and waited for more.", {{"for", what}});
  }
  metrics::Counter& disk = waits("disk");
  metrics::Counter& ahead = waits("ahead");  ///< A read of the device that was under way already.
  metrics::Counter& fill = waits("fill");

  static WaitMetrics& get() {
    static WaitMetrics instance;
    return instance;
  }
};

void count_wait(bool for_fill, bool asked_now) {
  WaitMetrics& metrics = WaitMetrics::get();
  if (for_fill)
    metrics.fill.add();
  else
    (asked_now ? metrics.disk : metrics.ahead).add();
}

}  // namespace

RangeReader::RangeReader(BlockCache& cache, ObjectPtr object, std::uint64_t first,
                         std::uint64_t end, FetcherPtr fetcher, Deadline queue)
    : cache_{cache},
      object_{std::move(object)},
      position_{first},
      end_{end},
      fetcher_{std::move(fetcher)},
      queue_{queue},
      ahead_until_{first} {
  cache_.readers_.fetch_add(1, std::memory_order_relaxed);
}

RangeReader::~RangeReader() {
  cache_.readers_.fetch_sub(1, std::memory_order_relaxed);
  for (const auto& [fill, interest] : followed_)
    fill->remove_interest(interest);
}

void RangeReader::follow(const std::shared_ptr<Fill>& fill) {
  const auto same = [&fill](const auto& followed) { return followed.first == fill; };
  if (std::none_of(followed_.begin(), followed_.end(), same))
    followed_.emplace_back(fill, fill->add_interest(fetcher_, position_));
}

void RangeReader::unfollow_finished() {
  const std::uint32_t block = block_of(position_);
  std::erase_if(followed_, [block](const auto& followed) {
    if (followed.first->end_block() > block)
      return false;
    followed.first->remove_interest(followed.second);
    return true;
  });
}

/// Why the fill of `block` that this reader followed has failed, if it has.
std::optional<Error> RangeReader::fill_failure(std::uint32_t block) const {
  for (const auto& [fill, interest] : followed_) {
    if (block < fill->first_block() || block >= fill->end_block())
      continue;
    const std::optional<Error> failure = fill->failure();
    if (failure && *failure != Errc::cancelled)
      return failure;
  }
  return std::nullopt;
}

View RangeReader::try_next() {
  const std::uint32_t block = block_of(position_);
  const auto want = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(end_ - position_, kBlockSize - in_block(position_)));
  RamTier::Access access = cache_.ram_->access(*object_, block, in_block(position_), want, nullptr);
  if (access.fill)
    follow(access.fill);
  if (access.view)
    note_source(block, access.fill != nullptr, access.touch);
  return std::move(access.view);
}

void RangeReader::note_source(std::uint32_t block, bool filling, bool touch) {
  if (touch && cache_.disk_)
    cache_.disk_->touch(*object_, block);
  if (block == noted_block_)
    return;
  noted_block_ = block;
  block_was_cached_ = !filling;
}

void RangeReader::advance(std::size_t bytes) {
  (block_was_cached_ ? tally_.cached : tally_.filled) += bytes;
  const std::uint32_t before = block_of(position_);
  position_ += bytes;
  has_moved_ = true;
  if (position_ == end_)
    return;
  if (block_of(position_) != before) {
    unfollow_finished();
    for (const auto& [fill, interest] : followed_)
      fill->moved(*interest, position_);
  }
  read_ahead();
}

/// Keeps a window of bytes beyond position() asked for, on its way from disk or from the origin:
/// piece by piece, so that the first of them is here long before the reader is.
void RangeReader::read_ahead() {
  ahead_until_ = std::max(ahead_until_, position_);
  const std::uint64_t until = std::min(position_ + cache_.read_ahead(), end_);
  while (ahead_until_ < until) {
    // Less than a piece is not worth a read, unless nothing follows.
    if (until != end_ && until - ahead_until_ < cache_.piece_size())
      return;
    if (!ask_ahead(until))
      return;
  }
}

/// Asks for the next piece of what is ahead and moves ahead_until_ beyond it. False where nothing
/// can be asked for now.
bool RangeReader::ask_ahead(std::uint64_t until) {
  const std::uint32_t block = block_of(ahead_until_);
  const std::uint64_t start = std::uint64_t{block} * kBlockSize;
  const std::uint64_t block_end = std::min(start + kBlockSize, until);
  if (cache_.disk_ && cache_.disk_->contains(*object_, block)) {
    const auto page = static_cast<std::uint32_t>(in_block(ahead_until_) / kPageSize);
    const auto end_page = static_cast<std::uint32_t>(div_ceil(block_end - start, kPageSize));
    const std::uint32_t next = cache_.start_load(object_, block, page, end_page,
                                                 io::Share::speculation, Deadline::after({}));
    ahead_until_ =
        std::max(ahead_until_, std::min(start + std::uint64_t{next} * kPageSize, block_end));
    return next != page;
  }
  if (cache_.missing(*object_, block)) {
    FillStart fill;
    fill.slot = cache_.traffic_->slots(FillTraffic::Class::demand).try_acquire();
    if (!fill.slot)
      return false;
    fill.queue = Deadline::after(cache_.config_.wait);
    start_fill(block, run_end(block), std::move(fill));
  }
  ahead_until_ = block_end;
  return true;
}

/// Where a fill from `block` on ends: with its extent or with this reader's range, whichever comes
/// first.
std::uint32_t RangeReader::run_end(std::uint32_t block) const {
  const auto extent_end = static_cast<std::uint32_t>(align_up(block + 1, kBlocksPerExtent));
  return std::min(extent_end, block_of(end_ - 1) + 1);
}

/// Nothing where the block is claimed already. The interest comes before the fill starts: without
/// one it would end at its second block.
void RangeReader::start_fill(std::uint32_t block, std::uint32_t end_block, FillStart start) {
  const std::shared_ptr<Fill> fill =
      cache_.claim_run(object_, block, end_block, FillReason::demand);
  if (!fill)
    return;
  follow(fill);
  start.fetcher = fetcher_;
  cache_.launch(fill, std::move(start));
}

std::unique_ptr<ByteSource> RangeReader::adopt(std::unique_ptr<ByteSource> source) {
  FillStart start;
  start.slot = cache_.traffic_->slots(FillTraffic::Class::demand).try_acquire();
  if (!start.slot)
    return source;
  start.source = std::move(source);
  start_fill(0, std::min(object_->block_count(), kAdoptedBlocksMax), std::move(start));
  return nullptr;
}

/// Starts what brings the bytes at position() into RAM.
void RangeReader::bring_in(std::uint32_t block) {
  if (!cache_.disk_ || !cache_.disk_->contains(*object_, block)) {
    FillStart start;
    start.queue = queue_;
    start_fill(block, run_end(block), std::move(start));
    return;
  }
  const std::uint64_t start = std::uint64_t{block} * kBlockSize;
  const std::uint64_t block_end = std::min(start + kBlockSize, end_);
  const std::uint32_t next =
      cache_.start_load(object_, block, static_cast<std::uint32_t>(in_block(position_) / kPageSize),
                        static_cast<std::uint32_t>(div_ceil(block_end - start, kPageSize)),
                        io::Share::disk_read, queue_);
  ahead_until_ =
      std::max(ahead_until_, std::min(start + std::uint64_t{next} * kPageSize, block_end));
  read_ahead();
}

Task<Result<View>> RangeReader::next(Deadline deadline) {
  const std::uint32_t block = block_of(position_);
  const auto want = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(end_ - position_, kBlockSize - in_block(position_)));
  const std::shared_ptr<runtime::Waiter> waiter = runtime::Waiter::create();
  if (std::exchange(has_moved_, false))
    queue_ = Deadline::after(cache_.config_.wait);
  int attempts = 0;
  int failures = 0;
  bool has_waited = false;
  for (;;) {
    RamTier::Access access =
        cache_.ram_->access(*object_, block, in_block(position_), want, waiter);
    if (access.fill)
      follow(access.fill);
    if (access.state != RamTier::State::absent)
      note_source(block, access.fill != nullptr, access.touch);
    if (access.state == RamTier::State::bytes)
      co_return std::move(access.view);
    if (access.state == RamTier::State::absent) {
      if (const std::optional<Error> failure = fill_failure(block); failure) {
        // What befell a fill is not yet what befalls the next: only a refusal is final, and a line
        // that was too long.
        const bool is_final =
            *failure == Errc::changed || *failure == Errc::refused || *failure == Errc::overloaded;
        if (is_final || ++failures == kFailuresMax)
          co_return *failure;
      }
      const bool waited = attempts != 0 && queue_.expired();
      if (attempts++ == kAttemptsMax || waited)
        co_return Errc::overloaded;
      bring_in(block);
      continue;
    }
    // An adopted body goes through the whole object: who is that far ahead of it does not wait.
    if (access.fill && access.fill->at_block() + kBlocksPerExtent < block)
      co_return Errc::overloaded;
    if (!std::exchange(has_waited, true))
      count_wait(access.fill != nullptr, attempts != 0);
    const bool woken = co_await waiter->wait(deadline);
    if (woken)
      continue;
    // What a slow origin has brought meanwhile may be less than waiters are woken for.
    if (View view = try_next(); view)
      co_return std::move(view);
    co_return Errc::timeout;
  }
}

}  // namespace forebay::cache
