#include "cache/ram_tier.hpp"

#include "cache/fill.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/base/metrics.hpp>

#include <algorithm>
#include <utility>

namespace forebay::cache {
namespace {

constexpr std::uint32_t bits(std::uint32_t first, std::uint32_t count) {
  return static_cast<std::uint32_t>(((std::uint64_t{1} << count) - 1) << first);
}

constexpr std::uint32_t page_of(std::uint32_t offset) {
  return static_cast<std::uint32_t>(offset / kPageSize);
}

}  // namespace

void View::add(io::PageRef page, std::size_t offset, std::size_t size) {
  parts_[count_] = {page.data() + offset, size};
  pages_[count_] = std::move(page);
  ++count_;
  size_ += size;
}

void RamTier::Entry::wake() {
  for (const auto& waiter : waiters)
    waiter->wake();
  waiters.clear();
  wake_at = kNever;
  woken = Clock::now();
}

RamTier::RamTier(io::BufferPool& pool)
    : pool_{pool}, shards_{std::make_unique<Shard[]>(kShards)}, residences_(pool.frame_count()) {
  pool_.set_reclaimer([this](std::size_t wanted) { return reclaim(wanted); });
}

RamTier::~RamTier() {
  pool_.set_reclaimer(nullptr);
}

RamTier::Entry* RamTier::find(Shard& shard, const Hash128& hash) const {
  const auto it = shard.entries.find(hash);
  return it == shard.entries.end() ? nullptr : &it->second;
}

View RamTier::collect(const Entry& entry, std::uint32_t offset, std::uint32_t want,
                      std::uint32_t length) {
  View view;
  const std::uint32_t end = std::min(length, offset + want);
  while (offset < end && view.count_ < View::kMaxParts) {
    const std::uint32_t page = page_of(offset);
    const auto page_start = static_cast<std::uint32_t>(page * kPageSize);
    std::uint32_t readable = 0;
    if ((entry.ready & bits(page, 1)) != 0)
      readable = static_cast<std::uint32_t>(page_start + kPageSize);
    else if (entry.fill && entry.pages[page])
      readable = entry.watermark;
    readable = std::min({readable, end, static_cast<std::uint32_t>(page_start + kPageSize)});
    if (readable <= offset)
      break;
    // Written only where it changes: other workers read the same pages.
    std::atomic<bool>& referenced = residences_[entry.pages[page].index()].referenced;
    if (!referenced.load(std::memory_order_relaxed))
      referenced.store(true, std::memory_order_relaxed);
    view.add(entry.pages[page], offset - page_start, readable - offset);
    offset = readable;
  }
  return view;
}

RamTier::Access RamTier::access(const Object& object, std::uint32_t block, std::uint32_t offset,
                                std::uint32_t want,
                                const std::shared_ptr<runtime::Waiter>& waiter) {
  const Hash128 hash = block_hash(object, block);
  Shard& home = shard(hash);
  const std::lock_guard lock{home.mutex};
  Entry* entry = find(home, hash);
  Access access;
  if (entry == nullptr || !entry->is_of(object))
    return access;
  if (entry->fill && !entry->fill->gives_way())
    access.fill = entry->fill;
  access.view = collect(*entry, offset, want, object.block_length(block));
  if (access.view) {
    access.state = State::bytes;
    const TimePoint now = Clock::now();
    access.touch = now - entry->touched >= kTouchEvery;
    if (access.touch)
      entry->touched = now;
  } else if (access.fill || (entry->claimed & bits(page_of(offset), 1)) != 0) {
    access.state = State::on_its_way;
    if (waiter) {
      entry->waiters.push_back(waiter);
      entry->wake_at = std::min(entry->wake_at, offset + std::min(want, kWorthWaking));
    }
  }
  return access;
}

bool RamTier::ready(const Object& object, std::uint32_t block, std::uint32_t first,
                    std::uint32_t last) const {
  const Hash128 hash = block_hash(object, block);
  Shard& home = shard(hash);
  const std::lock_guard lock{home.mutex};
  const Entry* entry = find(home, hash);
  const std::uint32_t wanted = bits(page_of(first), page_of(last) - page_of(first) + 1);
  return entry != nullptr && entry->is_of(object) && (entry->ready & wanted) == wanted;
}

bool RamTier::filling(const Object& object, std::uint32_t block) const {
  const Hash128 hash = block_hash(object, block);
  Shard& home = shard(hash);
  const std::lock_guard lock{home.mutex};
  const Entry* entry = find(home, hash);
  return entry != nullptr && entry->is_of(object) && entry->fill && !entry->fill->gives_way();
}

RamTier::PageRun RamTier::claim_pages(const ObjectPtr& object, std::uint32_t block,
                                      std::uint32_t first, std::uint32_t end, std::uint32_t most) {
  const Hash128 hash = block_hash(*object, block);
  Shard& home = shard(hash);
  const std::lock_guard lock{home.mutex};
  Entry& entry = home.entries[hash];
  if (entry.object && !entry.is_of(*object))
    return {end, 0};
  entry.object = object;
  const auto is_absent = [&entry](std::uint32_t page) {
    return ((entry.ready | entry.claimed) & bits(page, 1)) == 0;
  };
  PageRun run{first, 0};
  while (run.first < end && !is_absent(run.first))
    ++run.first;
  while (!entry.fill && run.first + run.count < end && run.count < most &&
         is_absent(run.first + run.count))
    ++run.count;
  entry.claimed |= bits(run.first, run.count);
  if (entry.idle())
    home.entries.erase(hash);
  return run;
}

/// Ends a claim on pages: wakes who waits, and forgets the entry where nothing of it is left.
void RamTier::settle(Shard& shard, const Hash128& hash, Entry& entry, std::uint32_t first,
                     std::uint32_t count) {
  entry.claimed &= ~bits(first, count);
  entry.wake();
  if (entry.idle())
    shard.entries.erase(hash);
}

void RamTier::make_resident(const Hash128& hash, Entry& entry, std::uint32_t page) {
  Residence& residence = residences_[entry.pages[page].index()];
  residence.block_high.store(hash.high, std::memory_order_relaxed);
  residence.block_low.store(hash.low, std::memory_order_relaxed);
  residence.page.store(page, std::memory_order_relaxed);
  residence.referenced.store(false, std::memory_order_relaxed);
  residence.resident.store(true, std::memory_order_release);
  entry.ready |= bits(page, 1);
}

void RamTier::evict(Entry& entry, std::uint32_t page) {
  residences_[entry.pages[page].index()].resident.store(false, std::memory_order_relaxed);
  entry.ready &= ~bits(page, 1);
  entry.pages[page] = {};
}

void RamTier::publish_pages(const Object& object, std::uint32_t block, std::uint32_t first,
                            const std::vector<io::PageRef>& pages) {
  const Hash128 hash = block_hash(object, block);
  Shard& home = shard(hash);
  const std::lock_guard lock{home.mutex};
  Entry* entry = find(home, hash);
  ASSERT(entry != nullptr);
  const auto count = static_cast<std::uint32_t>(pages.size());
  for (std::uint32_t i = 0; i < count && !entry->doomed; ++i) {
    entry->pages[first + i] = pages[i];
    make_resident(hash, *entry, first + i);
  }
  settle(home, hash, *entry, first, count);
}

void RamTier::release_pages(const Object& object, std::uint32_t block, std::uint32_t first,
                            std::uint32_t count) {
  const Hash128 hash = block_hash(object, block);
  Shard& home = shard(hash);
  const std::lock_guard lock{home.mutex};
  Entry* entry = find(home, hash);
  ASSERT(entry != nullptr);
  settle(home, hash, *entry, first, count);
}

bool RamTier::claim_fill(const ObjectPtr& object, std::uint32_t block,
                         const std::shared_ptr<Fill>& fill) {
  const Hash128 hash = block_hash(*object, block);
  Shard& home = shard(hash);
  const std::lock_guard lock{home.mutex};
  Entry& entry = home.entries[hash];
  if (entry.object && !entry.is_of(*object))
    return false;
  const std::uint32_t all = bits(0, page_count(object->block_length(block)));
  const bool is_taken =
      entry.fill && (fill->reason() != FillReason::demand || !entry.fill->give_way());
  if (is_taken || entry.claimed != 0 || (entry.ready & all) == all)
    return false;
  // Pages that a sweep has left of an earlier stay are the same bytes; the fill brings the block
  // whole.
  for (std::uint32_t page = 0; page < kPagesPerBlock; ++page) {
    if ((entry.ready & bits(page, 1)) != 0)
      evict(entry, page);
  }
  entry.object = object;
  entry.fill = fill;
  entry.watermark = 0;
  entry.doomed = false;
  return true;
}

void RamTier::begin_fill(const Object& object, std::uint32_t block,
                         const std::vector<io::PageRef>& pages) {
  const Hash128 hash = block_hash(object, block);
  Shard& home = shard(hash);
  const std::lock_guard lock{home.mutex};
  Entry* entry = find(home, hash);
  ASSERT(entry != nullptr && entry->fill);
  std::copy(pages.begin(), pages.end(), entry->pages.begin());
}

void RamTier::restart_fill(const Object& object, std::uint32_t block) {
  const Hash128 hash = block_hash(object, block);
  Shard& home = shard(hash);
  const std::lock_guard lock{home.mutex};
  Entry* entry = find(home, hash);
  ASSERT(entry != nullptr && entry->fill);
  entry->pages.fill({});
  entry->watermark = 0;
}

void RamTier::advance_fill(const Object& object, std::uint32_t block, std::uint32_t watermark) {
  const Hash128 hash = block_hash(object, block);
  Shard& home = shard(hash);
  const std::lock_guard lock{home.mutex};
  Entry* entry = find(home, hash);
  ASSERT(entry != nullptr && entry->fill);
  entry->watermark = watermark;
  const bool is_awaited = entry->wake_at != kNever;
  if (is_awaited && (watermark >= entry->wake_at || Clock::now() - entry->woken >= kWakesApart))
    entry->wake();
}

bool RamTier::finish_fill(const Object& object, std::uint32_t block) {
  const Hash128 hash = block_hash(object, block);
  Shard& home = shard(hash);
  const std::lock_guard lock{home.mutex};
  Entry* entry = find(home, hash);
  ASSERT(entry != nullptr && entry->fill);
  const bool keep = !entry->doomed;
  const std::uint32_t count = page_count(object.block_length(block));
  for (std::uint32_t page = 0; page < count; ++page) {
    if (keep)
      make_resident(hash, *entry, page);
    else
      entry->pages[page] = {};
  }
  entry->fill.reset();
  settle(home, hash, *entry, 0, 0);
  return keep;
}

void RamTier::abandon_fill(const Object& object, std::uint32_t block, const Fill& fill) {
  const Hash128 hash = block_hash(object, block);
  Shard& home = shard(hash);
  const std::lock_guard lock{home.mutex};
  Entry* entry = find(home, hash);
  if (entry == nullptr || entry->fill.get() != &fill)
    return;
  entry->pages.fill({});
  entry->fill.reset();
  settle(home, hash, *entry, 0, 0);
}

std::size_t RamTier::purge(std::string_view bucket, std::string_view prefix) {
  std::size_t purged = 0;
  for (std::size_t i = 0; i < kShards; ++i) {
    const std::lock_guard lock{shards_[i].mutex};
    auto& entries = shards_[i].entries;
    for (auto it = entries.begin(); it != entries.end();) {
      Entry& entry = it->second;
      const Identity& identity = entry.object->identity();
      if (identity.bucket != bucket || !identity.key.starts_with(prefix)) {
        ++it;
        continue;
      }
      ++purged;
      for (std::uint32_t page = 0; page < kPagesPerBlock; ++page) {
        if ((entry.ready & bits(page, 1)) != 0)
          evict(entry, page);
      }
      entry.doomed = !entry.idle();
      it = entry.idle() ? entries.erase(it) : std::next(it);
    }
  }
  return purged;
}

std::size_t RamTier::reclaim(std::size_t wanted) {
  static metrics::Counter& evicted = metrics::Registry::instance().counter(
      "forebay_cache_ram_evictions_total", "Pages dropped from RAM to make room.");
  const std::lock_guard sweep{sweep_mutex_};
  std::size_t dropped = 0;
  // Two turns: the first may only take the reference bits away.
  for (std::size_t step = 0; step < 2 * residences_.size() && dropped < wanted; ++step) {
    Residence& residence = residences_[hand_];
    hand_ = (hand_ + 1) % residences_.size();
    if (!residence.resident.load(std::memory_order_acquire))
      continue;
    if (residence.referenced.exchange(false, std::memory_order_relaxed))
      continue;
    const Hash128 hash{residence.block_high.load(std::memory_order_relaxed),
                       residence.block_low.load(std::memory_order_relaxed)};
    Shard& home = shard(hash);
    const std::lock_guard lock{home.mutex};
    Entry* entry = find(home, hash);
    const std::uint32_t page = residence.page.load(std::memory_order_relaxed);
    // The frame may have moved on since it was looked at without the lock.
    if (entry == nullptr || (entry->ready & bits(page, 1)) == 0 ||
        &residences_[entry->pages[page].index()] != &residence || !entry->pages[page].unique())
      continue;
    evict(*entry, page);
    ++dropped;
    if (entry->idle())
      home.entries.erase(hash);
  }
  evicted.add(dropped);
  return dropped;
}

}  // namespace forebay::cache
