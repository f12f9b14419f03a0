#pragma once
// A disk store over disks in memory, and blocks whose every byte tells where it belongs.
#include "support/memory_device.hpp"

#include <forebay/cache/disk_store.hpp>
#include <forebay/io/buffer_pool.hpp>
#include <forebay/runtime/worker.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace forebay::test {

cache::ObjectPtr make_object(std::string key, std::uint64_t size, std::string etag = "v1",
                             std::string version_id = "");

/// The bytes of one block, as nothing but this object's identity and the offset give them.
void make_block(const cache::Object& object, std::uint32_t block,
                const std::vector<io::PageRef>& pages, cache::PageChecksums& checksums);
/// Whether pages hold just those bytes.
bool is_block(const cache::Object& object, std::uint32_t block, std::uint32_t first_page,
              const std::vector<io::PageRef>& pages);

/// What a read of pages came to; wrong bytes reported as success throw.
Task<Result<void>> get(cache::DiskStore& store, cache::ObjectPtr object, std::uint32_t block,
                       std::uint32_t first_page, std::uint32_t count);
Task<Result<void>> put(cache::DiskStore& store, io::BufferPool& pool, cache::ObjectPtr object,
                       std::uint32_t block, cache::Placement placement);

/// One slab of `slots` slots on each device; every call runs on a worker to its end.
class DiskFixture : public testing::Test {
 protected:
  /// Gates that tests close are no stalls, unless they say so.
  DiskFixture() { config.device_stall = std::chrono::seconds{60}; }
  ~DiskFixture() override;

  /// Opens the store on the disks as they are, after closing the last one; recovered unless told
  /// otherwise.
  void start(bool wait = true);
  void stop();
  void settle();

  Result<void> put(const cache::ObjectPtr& object, std::uint32_t block = 0,
                   cache::Placement placement = cache::Placement::hot);
  /// Every page of the block.
  Result<void> get(const cache::ObjectPtr& object, std::uint32_t block = 0);
  Result<void> get(const cache::ObjectPtr& object, std::uint32_t block, std::uint32_t first_page,
                   std::uint32_t count);
  cache::Purged purge(std::string bucket, std::string prefix);
  MemoryDisk& disk(const std::string& path = "a") { return *engine.disks.at(path); }

  /// With this many slots.
  static cache::DeviceConfig device(std::string path, std::uint64_t slots);

  cache::DiskConfig config;
  MemoryEngine engine;
  io::BufferPool pool{{64 * MiB}};
  runtime::WorkerPool workers{runtime::Config{2}};
  std::unique_ptr<cache::DiskStore> store;
};

}  // namespace forebay::test
