#include "support/disk_fixture.hpp"

#include <cstring>
#include <functional>
#include <future>
#include <stdexcept>
#include <utility>

namespace forebay::test {
namespace {

using cache::kBlockSize;
using cache::kPageSize;

constexpr std::uint64_t kHeader = 4 * KiB;
constexpr std::uint64_t kFirstSlot = 64 * KiB;

std::uint64_t seed_of(const cache::Identity& identity) {
  const std::hash<std::string> hash;
  return hash(identity.key) * 31 + hash(identity.etag) * 17 + hash(identity.version_id);
}

/// Calls `visit(page index, offset in page, bytes expected there)` over the valid bytes.
template <class Visit>
void for_each_word(const cache::Object& object, std::uint32_t block, std::uint32_t first_page,
                   std::size_t pages, const Visit& visit) {
  const std::uint64_t seed = seed_of(object.identity());
  const std::uint32_t length = object.block_length(block);
  for (std::size_t i = 0; i < pages; ++i) {
    const std::uint64_t page_start = (first_page + i) * kPageSize;
    for (std::uint64_t at = 0; at < kPageSize && page_start + at < length; at += 8) {
      const std::uint64_t offset = std::uint64_t{block} * kBlockSize + page_start + at;
      const std::uint64_t word = (seed ^ offset) * 0x9e3779b97f4a7c15U;
      visit(i, at, word, std::min<std::uint64_t>(8, length - page_start - at));
    }
  }
}

Task<void> keep(std::shared_ptr<std::function<Task<void>()>> body,
                std::shared_ptr<std::promise<void>> done) {
  try {
    co_await (*body)();
    done->set_value();
  } catch (...) {
    done->set_exception(std::current_exception());
  }
}

/// As run_on_worker, but other tasks may still be waiting when it returns.
void run_alone(runtime::WorkerPool& workers, std::function<Task<void>()> body) {
  auto done = std::make_shared<std::promise<void>>();
  std::future<void> ended = done->get_future();
  workers.spawn_on(0, "test", &keep, std::make_shared<std::function<Task<void>()>>(std::move(body)),
                   done);
  ended.get();
}

}  // namespace

cache::ObjectPtr make_object(std::string key, std::uint64_t size, std::string etag,
                             std::string version_id) {
  return std::make_shared<const cache::Object>(
      cache::Identity{"o", "bucket", std::move(key), std::move(etag), size, std::move(version_id)});
}

void make_block(const cache::Object& object, std::uint32_t block,
                const std::vector<io::PageRef>& pages, cache::PageChecksums& checksums) {
  // What a frame held before must never matter.
  for (const io::PageRef& page : pages)
    std::memset(page.data(), 0xee, kPageSize);
  for_each_word(object, block, 0, pages.size(),
                [&pages](std::size_t page, std::uint64_t at, std::uint64_t word, std::size_t n) {
                  std::memcpy(pages[page].data() + at, &word, n);
                });
  const std::uint32_t length = object.block_length(block);
  checksums = {};
  for (std::size_t i = 0; i < pages.size(); ++i)
    checksums[i] = cache::page_checksum(pages[i].data(),
                                        std::min<std::uint64_t>(kPageSize, length - i * kPageSize));
}

bool is_block(const cache::Object& object, std::uint32_t block, std::uint32_t first_page,
              const std::vector<io::PageRef>& pages) {
  bool same = true;
  for_each_word(object, block, first_page, pages.size(),
                [&](std::size_t page, std::uint64_t at, std::uint64_t word, std::size_t n) {
                  same = same && std::memcmp(pages[page].data() + at, &word, n) == 0;
                });
  return same;
}

Task<Result<void>> get(cache::DiskStore& store, cache::ObjectPtr object, std::uint32_t block,
                       std::uint32_t first_page, std::uint32_t count) {
  const auto read =
      co_await store.read(object, block, first_page, count, std::nullopt, Deadline::never());
  if (!read)
    co_return read.error();
  if (!is_block(*object, block, first_page, read.value().pages))
    throw std::runtime_error{"wrong bytes of " + object->identity().key};
  co_return success();
}

Task<Result<void>> put(cache::DiskStore& store, io::BufferPool& pool, cache::ObjectPtr object,
                       std::uint32_t block, cache::Placement placement) {
  const std::uint32_t count = cache::page_count(object->block_length(block));
  cache::PurgeList::Watch purges = store.watch_purges();
  auto lease = co_await pool.acquire(io::Share::fill, count, Deadline::never());
  cache::PageChecksums checksums;
  make_block(*object, block, lease.value().pages, checksums);
  auto admission = co_await store.admit(lease.value().pages, placement, Deadline::never());
  if (!admission)
    co_return admission.error();
  const Result<void> result =
      co_await store.write(std::move(object), block, std::move(admission).value(), checksums,
                           placement, std::move(purges));
  co_return result;
}

DiskFixture::~DiskFixture() {
  stop();
  EXPECT_EQ(pool.free_count(), pool.frame_count());
  EXPECT_EQ(pool.share_used(io::Share::disk_read) + pool.share_used(io::Share::slot_write), 0U);
}

void DiskFixture::settle() {
  EXPECT_TRUE(workers.drain(Deadline::after(std::chrono::seconds{60})));
}

void DiskFixture::stop() {
  if (store)
    store->stop();
  settle();
  store.reset();
}

void DiskFixture::start(bool wait) {
  stop();
  store = cache::DiskStore::open(config, engine, pool, workers).value();
  if (wait)
    settle();
}

Result<void> DiskFixture::put(const cache::ObjectPtr& object, std::uint32_t block,
                              cache::Placement placement) {
  Result<void> result = success();
  run_alone(workers, [&]() -> Task<void> {
    result = co_await test::put(*store, pool, object, block, placement);
  });
  return result;
}

Result<void> DiskFixture::get(const cache::ObjectPtr& object, std::uint32_t block) {
  return get(object, block, 0, cache::page_count(object->block_length(block)));
}

Result<void> DiskFixture::get(const cache::ObjectPtr& object, std::uint32_t block,
                              std::uint32_t first_page, std::uint32_t count) {
  Result<void> result = success();
  run_alone(workers, [&]() -> Task<void> {
    result = co_await test::get(*store, object, block, first_page, count);
  });
  return result;
}

cache::Purged DiskFixture::purge(std::string bucket, std::string prefix) {
  cache::Purged purged;
  run_alone(workers, [&]() -> Task<void> { purged = co_await store->purge(bucket, prefix); });
  return purged;
}

cache::DeviceConfig DiskFixture::device(std::string path, std::uint64_t slots) {
  return {std::move(path), kFirstSlot + slots * (kBlockSize + kHeader)};
}

}  // namespace forebay::test
