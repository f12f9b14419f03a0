#include "io/file.hpp"

#include <forebay/base/errc.hpp>
#include <forebay/base/units.hpp>

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

namespace forebay::io {
namespace {

class FileTest : public testing::Test {
 protected:
  FileTest() {
    std::string name = (std::filesystem::current_path() / "file-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    path = (directory_ / "slab").string();
  }
  ~FileTest() override { std::filesystem::remove_all(directory_); }

  std::filesystem::path directory_;
  std::string path;
};

struct stat status_of(const std::string& path) {
  struct stat status{};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  return status;
}

TEST_F(FileTest, ANewFileIsOursAloneAndItsSpaceIsReserved) {
  const auto file = open_file(path, 3 * MiB);
  ASSERT_TRUE(file);
  const struct stat status = status_of(path);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_EQ(status.st_size, static_cast<::off_t>(3 * MiB));
  EXPECT_GE(static_cast<std::uint64_t>(status.st_blocks) * 512, 3 * MiB);
}

TEST_F(FileTest, AFileOfAnotherLengthTakesTheConfiguredOneAndKeepsItsStart) {
  for (const std::uint64_t before : {MiB, 5 * MiB}) {
    SCOPED_TRACE(before);
    std::ofstream{path} << "first bytes";
    std::filesystem::resize_file(path, before);
    const auto file = open_file(path, 3 * MiB);
    ASSERT_TRUE(file);
    EXPECT_EQ(file.value().size_bytes, 3 * MiB);
    EXPECT_EQ(std::filesystem::file_size(path), 3 * MiB);
    std::string start(11, '\0');
    std::ifstream{path}.read(start.data(), 11);
    EXPECT_EQ(start, "first bytes");
  }
}

TEST_F(FileTest, ASecondOwnerIsRefusedUntilTheFirstIsGone) {
  {
    const auto first = open_file(path, MiB);
    ASSERT_TRUE(first);
    EXPECT_EQ(open_file(path, MiB, milliseconds{0}).error(), Errc::device_failed);
  }
  EXPECT_TRUE(open_file(path, MiB));
}

TEST_F(FileTest, WhereThereIsNoRoomNothingIsLeftBehind) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  rlimit narrow = before;
  narrow.rlim_cur = MiB;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &narrow), 0);
  const auto file = open_file(path, 64 * MiB);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ::signal(SIGXFSZ, handler);
  EXPECT_EQ(file.error(), Errc::device_failed);
  EXPECT_EQ(std::filesystem::file_size(path), 0U);
}

TEST_F(FileTest, WhatIsNoFileIsRefused) {
  EXPECT_EQ(open_file(directory_.string(), MiB).error(), Errc::device_failed);
  EXPECT_EQ(open_file("/dev/null", MiB).error(), Errc::device_failed);
  EXPECT_EQ(open_file((directory_ / "absent" / "slab").string(), MiB).error(), Errc::device_failed);
}

}  // namespace
}  // namespace forebay::io
