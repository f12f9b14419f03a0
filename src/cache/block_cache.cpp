#include "cache/fill.hpp"
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
/// What coverage() looks at.
constexpr std::uint32_t kCoverageBlocksMax = 256;
/// Cold blocks whose first touch is remembered.
constexpr std::size_t kTouchesMax = 1 << 16;

std::uint64_t block_start(std::uint32_t block) {
  return std::uint64_t{block} * kBlockSize;
}

/// A disk read that nobody owns: readers wait for the pages.
Task<void> load_pages(RamTier* ram, DiskStore* disk, ObjectPtr object, std::uint32_t block,
                      std::uint32_t first_page, std::uint32_t count, io::Share share,
                      Deadline deadline) {
  const auto read = co_await disk->read(object, block, first_page, count, share, deadline);
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
      touches_{std::make_unique<Touches>()} {}

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
  const std::size_t share = pool_.share_limit(io::Share::disk_read) * kPageSize;
  const std::size_t streams = std::max<std::size_t>(1, readers_.load(std::memory_order_relaxed));
  return std::clamp(align_down(share / streams, kPageSize), kReadAheadMin, kReadAheadMax);
}

void BlockCache::start_load(const ObjectPtr& object, std::uint32_t block, std::uint32_t first_page,
                            std::uint32_t count, io::Share share) {
  count = std::min(count, page_count(object->block_length(block)) - first_page);
  const std::uint32_t claimed = ram_->claim_pages(object, block, first_page, count);
  if (claimed == 0)
    return;
  // What is read ahead of need waits for no frames.
  const Deadline deadline =
      Deadline::after(share == io::Share::speculation ? milliseconds::zero() : config_.buffer_wait);
  runtime::Worker::current().tasks().spawn("disk read", &load_pages, ram_.get(), disk_.get(),
                                           object, block, first_page, claimed, share, deadline);
}

std::shared_ptr<Fill> BlockCache::claim_run(const ObjectPtr& object, std::uint32_t first_block,
                                            std::uint32_t end_block, FillReason reason) {
  auto fill = std::make_shared<Fill>(object, first_block, reason);
  while (fill->end_block() < end_block && missing(*object, fill->end_block()) &&
         ram_->claim_fill(object, fill->end_block(), fill))
    fill->grow();
  return fill->end_block() == first_block ? nullptr : fill;
}

void BlockCache::launch(const std::shared_ptr<Fill>& fill, const FetcherPtr& fetcher,
                        std::unique_ptr<ByteSource> source) {
  const FillContext context{pool_, *ram_, disk_.get(), config_.fill_stall, config_.buffer_wait};
  runtime::Worker::current().tasks().spawn("fill", &Fill::run, context, fill, std::move(source),
                                           fetcher);
}

Task<bool> BlockCache::ensure(ObjectPtr object, std::uint32_t first_block, std::uint32_t end_block,
                              FetcherPtr fetcher, FillReason reason) {
  for (std::uint32_t block = first_block; block < end_block;) {
    if (!missing(*object, block)) {
      ++block;
      continue;
    }
    const auto extent_end = static_cast<std::uint32_t>(align_up(block + 1, kBlocksPerExtent));
    const std::shared_ptr<Fill> fill =
        claim_run(object, block, std::min(extent_end, end_block), reason);
    // Claimed by somebody else: their fill, or their disk read, is as good.
    if (!fill) {
      ++block;
      continue;
    }
    launch(fill, fetcher, nullptr);
    co_await fill->wait_done();
    if (fill->failure())
      co_return false;
    block = fill->end_block();
  }
  co_return true;
}

void BlockCache::speculate(const ObjectPtr& object, std::uint64_t offset, std::uint64_t length) {
  const auto block = static_cast<std::uint32_t>(offset / kBlockSize);
  const auto first_page = static_cast<std::uint32_t>(offset % kBlockSize / kPageSize);
  if (!disk_ || !disk_->contains(*object, block))
    return;
  const std::uint64_t wanted = std::min<std::uint64_t>(length + offset % kPageSize, read_ahead());
  start_load(object, block, first_page, static_cast<std::uint32_t>(div_ceil(wanted, kPageSize)),
             io::Share::speculation);
}

bool BlockCache::knows(std::string_view origin, std::string_view bucket,
                       std::string_view key) const {
  return disk_ && disk_->knows(origin, bucket, key);
}

void BlockCache::drop_superseded(const Object& current) {
  if (disk_)
    disk_->drop_superseded(current);
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
