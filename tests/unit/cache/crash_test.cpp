// Whatever part of its writes a device kept when the power went: every read is right or a miss.
#include "cache/slab_layout.hpp"
#include "support/disk_fixture.hpp"

#include <forebay/base/errc.hpp>

#include <algorithm>
#include <random>

namespace forebay::cache {
namespace {

using test::make_object;

constexpr std::uint64_t kSlots = 6;
constexpr std::uint64_t kSector = 4 * KiB;

/// One aligned unit that a device writes whole: what it holds after the n-th write to it.
struct SectorWrite {
  std::uint64_t offset = 0;
  const std::byte* data = nullptr;
};

std::vector<SectorWrite> sectors_of(const std::vector<test::MemoryDisk::Write>& log) {
  std::vector<SectorWrite> sectors;
  for (const auto& write : log) {
    for (std::uint64_t at = 0; at < write.data.size(); at += kSector)
      sectors.push_back({write.offset + at, write.data.data() + at});
  }
  return sectors;
}

void apply(std::vector<std::byte>& bytes, const SectorWrite& sector) {
  std::copy_n(sector.data, kSector, bytes.begin() + static_cast<std::ptrdiff_t>(sector.offset));
}

class CrashTest : public test::DiskFixture {
 protected:
  CrashTest() {
    config.devices = {device("a", kSlots)};
    config.device_writes_per_day = 1e12;
    start();
    before_ = disk().bytes;
    disk().keep_log = true;
    work();
    stop();
    log_ = std::move(disk().log);
    disk().keep_log = false;
  }

  /// Fills the slab several times over: fresh slots, overwritten ones, the same block in several
  /// slots, erased headers.
  void work() {
    std::mt19937 random{11};
    for (int i = 0; i < 60; ++i) {
      // Small blocks, so that much happens in few bytes; some whole ones.
      const std::uint64_t size = random() % 8 == 0 ? 4 * MiB : 4 * KiB + random() % (200 * KiB);
      objects_.push_back(make_object("k" + std::to_string(random() % 12), size,
                                     "v" + std::to_string(random() % 3)));
      ASSERT_TRUE(put(objects_.back()));
      if (random() % 4 == 0)
        store->drop_superseded(*make_object("k" + std::to_string(random() % 12), 1, "other"));
      if (random() % 10 == 0)
        purge("bucket", "k" + std::to_string(random() % 12));
    }
  }

  /// Starts on these bytes and reads everything that was ever written; get() throws on a wrong
  /// byte. The count of blocks that are there and whole.
  int survivors(std::vector<std::byte> bytes) {
    disk().bytes = std::move(bytes);
    start();
    int whole = 0;
    for (const ObjectPtr& object : objects_) {
      const auto result = get(object);
      if (result)
        ++whole;
      else
        EXPECT_TRUE(result.error() == Errc::not_found || result.error() == Errc::corrupt);
    }
    // It must go on working, too.
    const ObjectPtr fresh = make_object("fresh", 100 * KiB);
    EXPECT_TRUE(put(fresh));
    EXPECT_TRUE(get(fresh));
    stop();
    return whole;
  }

  std::vector<std::byte> before_;
  std::vector<test::MemoryDisk::Write> log_;
  std::vector<ObjectPtr> objects_;
};

TEST_F(CrashTest, EveryWriteKeptInOrderUpToSomePoint) {
  const auto sectors = sectors_of(log_);
  std::mt19937 random{1};
  int whole = 0;
  for (int round = 0; round < 25; ++round) {
    SCOPED_TRACE(round);
    auto bytes = before_;
    const std::size_t kept = random() % (sectors.size() + 1);
    for (std::size_t i = 0; i < kept; ++i)
      apply(bytes, sectors[i]);
    whole += survivors(std::move(bytes));
  }
  EXPECT_GT(whole, 0) << "a test that only ever misses shows nothing";
}

TEST_F(CrashTest, TheLastWritesReorderedAndPartlyLost) {
  const auto sectors = sectors_of(log_);
  std::mt19937 random{2};
  int whole = 0;
  for (int round = 0; round < 25; ++round) {
    SCOPED_TRACE(round);
    auto bytes = before_;
    const std::size_t crash = random() % (sectors.size() + 1);
    // What was written before the window is durable; of the window, any subset in any order.
    const std::size_t window = std::min<std::size_t>(crash, random() % 2'000);
    for (std::size_t i = 0; i < crash - window; ++i)
      apply(bytes, sectors[i]);
    std::vector<SectorWrite> volatile_part(
        sectors.begin() + static_cast<std::ptrdiff_t>(crash - window),
        sectors.begin() + static_cast<std::ptrdiff_t>(crash));
    std::shuffle(volatile_part.begin(), volatile_part.end(), random);
    const unsigned kept_of_ten = random() % 11;
    for (const SectorWrite& sector : volatile_part) {
      if (random() % 10 < kept_of_ten)
        apply(bytes, sector);
    }
    whole += survivors(std::move(bytes));
  }
  EXPECT_GT(whole, 0);
}

TEST_F(CrashTest, TheDeviceForgotAnySubsetOfAllWrites) {
  const auto sectors = sectors_of(log_);
  std::mt19937 random{3};
  int whole = 0;
  for (int round = 0; round < 25; ++round) {
    SCOPED_TRACE(round);
    auto bytes = before_;
    for (const SectorWrite& sector : sectors) {
      if (random() % 100 >= static_cast<unsigned>(round))
        apply(bytes, sector);
    }
    whole += survivors(std::move(bytes));
  }
  EXPECT_GT(whole, 0);
}

TEST_F(CrashTest, ACrashWhileTheSlabIsFormattedIsACleanStart) {
  // The superblock torn between its old content and the new one, at every 512 bytes.
  for (std::uint64_t kept = 0; kept <= kHeaderSize; kept += 512) {
    SCOPED_TRACE(kept);
    std::vector<std::byte> bytes(before_.size(), std::byte{0xa5});
    std::copy_n(before_.begin(), kept, bytes.begin());
    EXPECT_EQ(survivors(std::move(bytes)), 0);
  }
}

}  // namespace
}  // namespace forebay::cache
