#include "cache/background_fills.hpp"
#include "cache/fill.hpp"
#include "cache/fill_traffic.hpp"
#include "cache/ram_tier.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/base/errc.hpp>
#include <forebay/base/metrics.hpp>
#include <forebay/cache/block_cache.hpp>

#include <algorithm>
#include <list>
#include <unordered_map>
#include <utility>

namespace forebay::cache {
namespace {

/// Least and most that a stream reads ahead of what it has sent.
constexpr std::size_t kReadAheadMin = kPageSize;
constexpr std::size_t kReadAheadMax = kBlockSize;
/// Reads of a device end one by one and are shown as they do: a part of what a stream reads ahead
/// each, and this at most.
constexpr std::size_t kPieceMax = 1 * MiB;
constexpr std::size_t kPiecesAhead = 4;
/// What coverage() looks at.
constexpr std::uint32_t kCoverageBlocksMax = 256;
/// Cold blocks whose first touch is remembered.
constexpr std::size_t kTouchesMax = 1 << 16;

std::uint64_t block_start(std::uint32_t block) {
  return std::uint64_t{block} * kBlockSize;
}

std::size_t blocks_of(const io::BufferPool& pool, io::Share share) {
  return pool.share_limit(share) / kPagesPerBlock;
}

/// Half of the writes, and one at least, may be of blocks that nobody waits for.
std::unique_ptr<FillTraffic> make_traffic(const io::BufferPool& pool) {
  return std::make_unique<FillTraffic>(
      blocks_of(pool, io::Share::fill), blocks_of(pool, io::Share::background),
      std::max<std::size_t>(1, blocks_of(pool, io::Share::slot_write) / 2));
}

/// A disk read that nobody owns: readers wait for the pages.
Task<void> load_pages(RamTier* ram, DiskStore* disk, ObjectPtr object, std::uint32_t block,
                      std::uint32_t first_page, std::uint32_t count,
                      std::optional<io::Lease> frames, Deadline deadline) {
  const auto read =
      co_await disk->read(object, block, first_page, count, std::move(frames), deadline);
  if (read)
    ram->publish_pages(*object, block, first_page, read.value().pages);
  else
    ram->release_pages(*object, block, first_page, count);
}

}  // namespace

/// The blocks of which one small range was read cold, newest first. Bounded; the oldest are
/// forgotten.
struct BlockCache::Touches {
  std::mutex mutex;
  std::list<Hash128> order;
  std::unordered_map<Hash128, std::list<Hash128>::iterator> known;
};

BlockCache::BlockCache(const CacheConfig& config, io::BufferPool& pool,
                       std::unique_ptr<DiskStore> disk)
    : config_{config},
      pool_{pool},
      ram_{std::make_unique<RamTier>(pool)},
      disk_{std::move(disk)},
      touches_{std::make_unique<Touches>()},
      traffic_{make_traffic(pool)},
      background_{std::make_unique<BackgroundFills>(*this, config.background_fills)} {}

BlockCache::~BlockCache() = default;

Result<std::unique_ptr<BlockCache>> BlockCache::create(const CacheConfig& config,
                                                       io::BufferPool& pool, io::IoEngine* engine,
                                                       runtime::WorkerPool& workers) {
  std::unique_ptr<DiskStore> disk;
  if (!config.disk.devices.empty()) {
    ASSERT(engine != nullptr);
    TRY(auto opened, DiskStore::open(config.disk, *engine, pool, workers));
    disk = std::move(opened);
  }
  return std::unique_ptr<BlockCache>{new BlockCache{config, pool, std::move(disk)}};
}

void BlockCache::stop() {
  background_->stop();
  if (disk_)
    disk_->stop();
}

bool BlockCache::missing(const Object& object, std::uint32_t block) const {
  if (disk_ && disk_->contains(object, block))
    return false;
  return !ram_->ready(object, block, 0, object.block_length(block) - 1);
}

Coverage BlockCache::coverage(const Object& object, std::uint64_t first, std::uint64_t last) const {
  const auto first_block = static_cast<std::uint32_t>(first / kBlockSize);
  const auto last_block = static_cast<std::uint32_t>(last / kBlockSize);
  Coverage coverage;
  coverage.blocks = std::min(last_block - first_block + 1, kCoverageBlocksMax);
  for (std::uint32_t block = first_block; block < first_block + coverage.blocks; ++block) {
    const std::uint64_t start = block_start(block);
    const auto from = static_cast<std::uint32_t>(std::max(first, start) - start);
    const auto to = static_cast<std::uint32_t>(std::min(last, start + kBlockSize - 1) - start);
    if ((disk_ && disk_->contains(object, block)) || ram_->ready(object, block, from, to))
      ++coverage.cached;
    else if (ram_->filling(object, block))
      ++coverage.filling;
  }
  return coverage;
}

bool BlockCache::second_touch(const Object& object, std::uint32_t block) {
  const Hash128 hash = block_hash(object, block);
  const std::lock_guard lock{touches_->mutex};
  auto& [mutex, order, known] = *touches_;
  if (known.contains(hash))
    return true;
  order.push_front(hash);
  known.emplace(hash, order.begin());
  if (known.size() > kTouchesMax) {
    known.erase(order.back());
    order.pop_back();
  }
  return false;
}

std::size_t BlockCache::read_ahead() const {
  const std::size_t share = pool_.share_limit(io::Share::speculation) * kPageSize;
  const std::size_t streams = std::max<std::size_t>(1, readers_.load(std::memory_order_relaxed));
  return std::clamp(align_down(share / streams, kPageSize), kReadAheadMin, kReadAheadMax);
}

std::size_t BlockCache::piece_size() const {
  return std::clamp(align_down(read_ahead() / kPiecesAhead, kPageSize), kPageSize, kPieceMax);
}

std::uint32_t BlockCache::start_load(const ObjectPtr& object, std::uint32_t block,
                                     std::uint32_t first_page, std::uint32_t end_page,
                                     io::Share share, Deadline queue) {
  const auto most = static_cast<std::uint32_t>(piece_size() / kPageSize);
  const auto [first, count] = ram_->claim_pages(object, block, first_page, end_page, most);
  if (count == 0)
    return end_page;
  std::optional<io::Lease> frames;
  if (share == io::Share::speculation) {
    frames = disk_->try_frames(*object, block, count);
    if (!frames) {
      ram_->release_pages(*object, block, first, count);
      return first;
    }
  }
  runtime::Worker::current().tasks().spawn("disk read", &load_pages, ram_.get(), disk_.get(),
                                           object, block, first, count, std::move(frames), queue);
  return first + count;
}

std::shared_ptr<Fill> BlockCache::claim_run(const ObjectPtr& object, std::uint32_t first_block,
                                            std::uint32_t end_block, FillReason reason) {
  auto fill = std::make_shared<Fill>(object, first_block, reason);
  for (std::uint32_t block = first_block; block < end_block && missing(*object, block); ++block) {
    if (!ram_->claim_fill(object, block, fill))
      break;
    // It may have come to the device, and left RAM, between the look and the claim.
    if (disk_ && disk_->contains(*object, block)) {
      ram_->abandon_fill(*object, block, *fill);
      break;
    }
    fill->grow();
  }
  return fill->end_block() == first_block ? nullptr : fill;
}

void BlockCache::launch(const std::shared_ptr<Fill>& fill, FillStart start) {
  const FillContext context{pool_, *ram_, disk_.get(), *traffic_, config_.fill_stall, config_.wait};
  runtime::Worker::current().tasks().spawn("fill", &Fill::run, context, fill, std::move(start));
}

void BlockCache::note_cold_read(const ObjectPtr& object, std::uint32_t block,
                                const FetcherPtr& fetcher) {
  // What a device holds that cannot be read now would be filled into RAM alone, and for nothing.
  const bool is_held = disk_ && disk_->first_missing(*object, block, block + 1) != block;
  if (!is_held && second_touch(*object, block))
    background_->submit(object, block, fetcher);
}

Task<bool> BlockCache::ensure(ObjectPtr object, std::uint32_t first_block, std::uint32_t end_block,
                              FetcherPtr fetcher, FillReason reason) {
  for (std::uint32_t block = first_block; block < end_block;) {
    if (!missing(*object, block)) {
      ++block;
      continue;
    }
    // Everything that may be waited for comes before the claim; the turn last, for it passes.
    FillStart start;
    start.fetcher = fetcher;
    start.slot =
        co_await traffic_->slots(FillTraffic::Class::background).acquire(Deadline::never());
    co_await traffic_->background_turn();
    const auto extent_end = static_cast<std::uint32_t>(align_up(block + 1, kBlocksPerExtent));
    const std::shared_ptr<Fill> fill =
        claim_run(object, block, std::min(extent_end, end_block), reason);
    // Claimed by somebody else: their fill, or their disk read, is as good.
    if (!fill) {
      ++block;
      continue;
    }
    const TimePoint began = Clock::now();
    launch(fill, std::move(start));
    co_await fill->wait_done();
    traffic_->note_background(Clock::now() - began);
    const bool given_way = fill->has_given_way();
    if (fill->failure() && !given_way)
      co_return false;
    block = given_way ? block + 1 : fill->end_block();
  }
  co_return true;
}

void BlockCache::speculate(const ObjectPtr& object, std::uint64_t offset, std::uint64_t length) {
  const auto block = static_cast<std::uint32_t>(offset / kBlockSize);
  if (!disk_ || !disk_->contains(*object, block))
    return;
  const std::uint64_t in_block = offset % kBlockSize;
  const std::uint64_t wanted = std::min<std::uint64_t>(length, read_ahead());
  const std::uint64_t end = std::min<std::uint64_t>(in_block + wanted, object->block_length(block));
  auto page = static_cast<std::uint32_t>(in_block / kPageSize);
  const auto end_page = static_cast<std::uint32_t>(div_ceil(end, kPageSize));
  for (bool goes_on = true; goes_on && page < end_page;) {
    const std::uint32_t next =
        start_load(object, block, page, end_page, io::Share::speculation, Deadline::after({}));
    goes_on = next != page;
    page = next;
  }
}

bool BlockCache::knows(std::string_view origin, std::string_view bucket,
                       std::string_view key) const {
  return disk_ && disk_->knows(origin, bucket, key);
}

void BlockCache::drop_superseded(const Object& current) {
  if (disk_)
    disk_->drop_superseded(current);
}

Hold BlockCache::hold(const ObjectPtr& version) {
  return disk_ ? disk_->hold(version) : Hold{};
}

Task<Purged> BlockCache::purge(std::string bucket, std::string prefix) {
  Purged purged;
  const std::size_t in_ram = ram_->purge(bucket, prefix);
  if (disk_)
    purged = co_await disk_->purge(bucket, prefix);
  // Again: a disk read may have brought back what the first pass dropped.
  ram_->purge(bucket, prefix);
  purged.blocks = std::max(in_ram, purged.blocks);
  co_return std::move(purged);
}

}  // namespace forebay::cache
