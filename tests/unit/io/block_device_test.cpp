// What every device promises, over memory, a pread pool and io_uring.
#include "support/memory_device.hpp"
#include "support/run_on_worker.hpp"

#include <forebay/base/errc.hpp>
#include <forebay/base/log.hpp>
#include <forebay/io/block_device.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <random>
#include <sstream>

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <unistd.h>

namespace forebay::io {
namespace {

constexpr std::uint64_t kDiskSize = 16 * MiB;

/// A directory that goes with the test.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    // Beside the test program: /tmp may be memory, where O_DIRECT is refused.
    std::string name = (std::filesystem::current_path() / "device-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

struct MemoryMaker {
  static Result<std::unique_ptr<IoEngine>> make(runtime::WorkerPool&) {
    return std::make_unique<test::MemoryEngine>();
  }
};

template <EngineKind kind, unsigned ring_entries>
struct FileMaker {
  static Result<std::unique_ptr<IoEngine>> make(runtime::WorkerPool& workers) {
    return IoEngine::create({kind, 4, ring_entries}, workers);
  }
};

/// Memory aligned for a device.
class Buffer {
 public:
  explicit Buffer(std::size_t size, std::byte value = {})
      : size_{size}, data_{static_cast<std::byte*>(std::aligned_alloc(kDeviceAlignment, size))} {
    std::memset(data_.get(), static_cast<int>(value), size);
  }
  iovec part() { return {data_.get(), size_}; }
  iovec part(std::size_t from, std::size_t size) { return {data_.get() + from, size}; }
  std::byte* data() { return data_.get(); }
  std::size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(std::byte* data) const { std::free(data); }
  };
  std::size_t size_;
  std::unique_ptr<std::byte, Free> data_;
};

/// Content that says where it belongs and which write it was.
void stamp(Buffer& buffer, std::uint64_t offset, std::uint64_t version) {
  for (std::size_t i = 0; i < buffer.size(); i += sizeof(std::uint64_t)) {
    const std::uint64_t value = (offset + i) * 0x9e3779b97f4a7c15U + version;
    std::memcpy(buffer.data() + i, &value, sizeof value);
  }
}

bool is_stamped(Buffer& buffer, std::uint64_t offset, std::uint64_t version) {
  Buffer expected{buffer.size()};
  stamp(expected, offset, version);
  return std::memcmp(buffer.data(), expected.data(), buffer.size()) == 0;
}

template <class Maker>
class BlockDeviceTest : public testing::Test {
 protected:
  ~BlockDeviceTest() override {
    EXPECT_TRUE(workers.drain(Deadline::after(std::chrono::seconds{30})));
  }
  std::unique_ptr<BlockDevice> open() {
    return engine->open((directory / "slab").string(), kDiskSize).value();
  }

  TemporaryDirectory directory;
  runtime::WorkerPool workers{runtime::Config{2}};
  std::unique_ptr<IoEngine> engine = Maker::make(workers).value();
};

// A ring of eight entries has to queue nearly everything that the tests start.
using Makers = testing::Types<MemoryMaker, FileMaker<EngineKind::pread, 0>,
                              FileMaker<EngineKind::uring, 256>, FileMaker<EngineKind::uring, 8>>;

class MakerNames {
 public:
  template <class Maker>
  static std::string GetName(int index) {
    return std::array{"Memory", "Pread", "Uring", "SmallRing"}[static_cast<std::size_t>(index)];
  }
};
TYPED_TEST_SUITE(BlockDeviceTest, Makers, MakerNames);

TYPED_TEST(BlockDeviceTest, ANewDeviceIsZeroAndAsLongAsAskedFor) {
  const auto device = this->open();
  EXPECT_EQ(device->size_bytes(), kDiskSize);
  test::run_on_worker(this->workers, [&device]() -> Task<void> {
    Buffer buffer{64 * KiB, std::byte{1}};
    std::vector<iovec> parts{buffer.part()};
    const auto read = co_await device->read(kDiskSize - 64 * KiB, std::move(parts));
    EXPECT_TRUE(read);
    EXPECT_TRUE(std::all_of(buffer.data(), buffer.data() + buffer.size(),
                            [](std::byte b) { return b == std::byte{0}; }));
  });
}

TYPED_TEST(BlockDeviceTest, GatheredPartsAreOneRunAndScatterAgain) {
  const auto device = this->open();
  test::run_on_worker(this->workers, [&device]() -> Task<void> {
    Buffer whole{4 * MiB + 4096};
    stamp(whole, 8192, 1);
    std::vector<iovec> parts{whole.part(0, 4096)};
    for (std::size_t at = 4096; at < whole.size(); at += 128 * KiB)
      parts.push_back(whole.part(at, 128 * KiB));
    const auto written = co_await device->write(8192, std::move(parts));
    EXPECT_TRUE(written);
    Buffer back{whole.size()};
    std::vector<iovec> halves{back.part(0, 2 * MiB), back.part(2 * MiB, 2 * MiB + 4096)};
    const auto read = co_await device->read(8192, std::move(halves));
    EXPECT_TRUE(read);
    EXPECT_TRUE(is_stamped(back, 8192, 1));
    Buffer middle{8192};
    std::vector<iovec> one{middle.part()};
    const auto again = co_await device->read(8192 + 4096, std::move(one));
    EXPECT_TRUE(again);
    EXPECT_TRUE(std::memcmp(middle.data(), whole.data() + 4096, middle.size()) == 0);
  });
}

TYPED_TEST(BlockDeviceTest, WhatWasWrittenIsThereWhenOpenedAgain) {
  for (std::uint64_t round = 0; round < 3; ++round) {
    const auto device = this->open();
    test::run_on_worker(this->workers, [&device, round]() -> Task<void> {
      Buffer buffer{8192};
      std::vector<iovec> parts{buffer.part()};
      const auto read = co_await device->read(4096, parts);
      EXPECT_TRUE(read);
      EXPECT_TRUE(round == 0 || is_stamped(buffer, 4096, round));
      stamp(buffer, 4096, round + 1);
      const auto written = co_await device->write(4096, parts);
      EXPECT_TRUE(written);
    });
  }
}

/// Writes and reads back one region of its own, over and over; counts what was right.
Task<void> churn(BlockDevice* device, std::uint64_t offset, int rounds, std::atomic<int>* right) {
  std::mt19937 random{static_cast<unsigned>(offset)};
  for (int round = 0; round < rounds; ++round) {
    Buffer buffer{4096 * (1 + random() % 32)};
    stamp(buffer, offset, static_cast<std::uint64_t>(round));
    std::vector<iovec> parts{buffer.part()};
    const auto written = co_await device->write(offset, parts);
    std::memset(buffer.data(), 0, buffer.size());
    const auto read = co_await device->read(offset, std::move(parts));
    const bool ok = is_stamped(buffer, offset, static_cast<std::uint64_t>(round));
    *right += written && read && ok ? 1 : 0;
  }
}

TYPED_TEST(BlockDeviceTest, ManyTasksOnAllWorkersAreServedAtOnce) {
  const auto device = this->open();
  constexpr int kTasks = 100;
  constexpr int kRounds = 20;
  std::atomic<int> right{0};
  for (int i = 0; i < kTasks; ++i)
    this->workers.spawn_on(static_cast<std::size_t>(i) % 2, "churn", &churn, device.get(),
                           static_cast<std::uint64_t>(i) * 128 * KiB, kRounds, &right);
  ASSERT_TRUE(this->workers.drain(Deadline::after(std::chrono::seconds{60})));
  EXPECT_EQ(right, kTasks * kRounds);
}

TYPED_TEST(BlockDeviceTest, ItEndsWithNoWorkLeft) {
  // The engine goes while the workers run; nothing may be left that still refers to it.
  for (int round = 0; round < 3; ++round) {
    auto device = this->open();
    std::atomic<int> right{0};
    this->workers.spawn_on(0, "churn", &churn, device.get(), std::uint64_t{0}, 3, &right);
    ASSERT_TRUE(this->workers.drain(Deadline::after(std::chrono::seconds{60})));
    EXPECT_EQ(right, 3);
    device.reset();
    this->engine = TypeParam::make(this->workers).value();
  }
}

/// The engines that work on files.
class FileEngineTest : public testing::TestWithParam<EngineKind> {
 protected:
  ~FileEngineTest() override {
    EXPECT_TRUE(workers.drain(Deadline::after(std::chrono::seconds{30})));
  }

  TemporaryDirectory directory;
  runtime::WorkerPool workers{runtime::Config{1}};
  std::unique_ptr<IoEngine> engine = IoEngine::create({GetParam(), 2, 8}, workers).value();
};

TEST_P(FileEngineTest, AFileThatWasCutUnderUsIsAnErrorAndNoSuccess) {
  const auto path = directory / "slab";
  const auto device = engine->open(path.string(), kDiskSize).value();
  std::filesystem::resize_file(path, 2 * MiB + 4096);
  test::run_on_worker(workers, [&device]() -> Task<void> {
    Buffer buffer{64 * KiB};
    const std::vector<iovec> parts{buffer.part()};
    const auto beyond = co_await device->read(4 * MiB, parts);
    EXPECT_EQ(beyond.error(), Errc::device_failed);
    const auto across = co_await device->read(2 * MiB, parts);
    EXPECT_EQ(across.error(), Errc::device_failed);
    const auto within = co_await device->read(MiB, parts);
    EXPECT_TRUE(within);
  });
}

/// What the logger of this room says meanwhile.
class LogLines {
 public:
  LogLines() { sinks().push_back(sink_); }
  ~LogLines() { sinks().pop_back(); }
  std::string text() const { return text_.str(); }
  std::size_t count() const {
    const std::string lines = text();
    return static_cast<std::size_t>(std::count(lines.begin(), lines.end(), '\n'));
  }

 private:
  static std::vector<spdlog::sink_ptr>& sinks() { return log::get("io").sinks(); }

  std::ostringstream text_;
  spdlog::sink_ptr sink_ = std::make_shared<spdlog::sinks::ostream_sink_mt>(text_);
};

TEST_P(FileEngineTest, ASectorThatFailsAmongGoodOnesIsLoggedOnce) {
  const auto path = directory / "slab";
  const auto device = engine->open(path.string(), kDiskSize).value();
  std::filesystem::resize_file(path, 2 * MiB);
  const LogLines lines;
  test::run_on_worker(workers, [&device]() -> Task<void> {
    Buffer buffer{64 * KiB};
    const std::vector<iovec> parts{buffer.part()};
    for (int i = 0; i < 3; ++i) {
      const auto bad = co_await device->read(4 * MiB, parts);
      EXPECT_FALSE(bad);
      const auto good = co_await device->read(MiB, parts);
      EXPECT_TRUE(good);
    }
  });
  EXPECT_EQ(lines.count(), 1U) << lines.text();
}

TEST_P(FileEngineTest, OneLineTellsTheEngineAndItsSize) {
  const LogLines lines;
  const auto another = IoEngine::create({GetParam(), 3, 8}, workers).value();
  EXPECT_EQ(lines.count(), 1U);
  const char* expected = GetParam() == EngineKind::pread ? "engine=pread threads=3 reason=\""
                                                         : "engine=io_uring entries=8 workers=1";
  EXPECT_NE(lines.text().find(expected), std::string::npos) << lines.text();
}

TEST_P(FileEngineTest, TheNameTellsTheEngine) {
  EXPECT_EQ(engine->name(), GetParam() == EngineKind::pread ? "pread" : "io_uring");
}

INSTANTIATE_TEST_SUITE_P(Engines, FileEngineTest,
                         testing::Values(EngineKind::pread, EngineKind::uring),
                         [](const auto& info) {
                           return info.param == EngineKind::pread ? "Pread" : "Uring";
                         });

}  // namespace
}  // namespace forebay::io
