#include "base/log_writer.hpp"

#include <array>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

namespace forebay::log {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

constexpr milliseconds kLong{10'000};

/// A pipe for the writer and its reader.
class Pipe {
 public:
  Pipe() { EXPECT_EQ(::pipe(ends_.data()), 0); }
  ~Pipe() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  int entry() const { return ends_[1]; }

  /// Reads until `last` has come.
  std::string read_until(std::string_view last) const {
    std::string text;
    while (text.find(last) == std::string::npos) {
      std::array<char, 4096> some{};
      const ssize_t size = ::read(ends_[0], some.data(), some.size());
      if (size <= 0)
        return text + "(closed)";
      text.append(some.data(), static_cast<std::size_t>(size));
    }
    return text;
  }

  /// Fills the pipe, so that the next write would block.
  void fill() const {
    ::fcntl(entry(), F_SETFL, O_NONBLOCK);
    const std::string page(4096, '-');
    while (::write(entry(), page.data(), page.size()) > 0) {
    }
    ::fcntl(entry(), F_SETFL, 0);
  }

 private:
  std::array<int, 2> ends_{};
};

struct LogWriterTest : testing::Test {
  void push(std::string_view text) {
    writer->push({spdlog::log_clock::time_point{}, spdlog::level::info, "room", text});
  }

  Pipe pipe;
  metrics::Counter dropped;
  std::unique_ptr<LogWriter> writer =
      std::make_unique<LogWriter>(pipe.entry(), LogRing::kSizeMin, dropped);
};

TEST_F(LogWriterTest, WritesLinesInOrder) {
  push("one");
  push("two");
  const std::string text = pipe.read_until("two\n");
  EXPECT_THAT(text, HasSubstr(" I room: one\n"));
  EXPECT_THAT(text, EndsWith(" I room: two\n"));
  EXPECT_TRUE(writer->flush(kLong));
  EXPECT_EQ(writer->waiting_bytes(), 0U);
}

TEST_F(LogWriterTest, IsWokenAfterASilence) {
  for (int n = 0; n < 3; ++n) {
    push("line " + std::to_string(n));
    pipe.read_until("line " + std::to_string(n));
    // Longer than it takes to fall asleep.
    std::array<pollfd, 1> none{pollfd{.fd = -1, .events = 0, .revents = 0}};
    ::poll(none.data(), none.size(), 150);
  }
}

TEST_F(LogWriterTest, WritesALineLongerThanAPieceWhole) {
  const std::string text(10'000, 'x');
  push(text);
  EXPECT_THAT(pipe.read_until("\n"), EndsWith(" I room: " + text + "\n"));
}

TEST_F(LogWriterTest, DropsAndCountsWhileNobodyReadsAndSaysSo) {
  pipe.fill();
  const std::string text(100, 'x');
  int pushed = 0;
  while (dropped.value() < 1'000) {
    push(text);
    ++pushed;
  }
  EXPECT_FALSE(writer->flush(milliseconds{50}));
  EXPECT_GT(writer->waiting_bytes(), LogRing::kSizeMin / 2);
  const std::string read = pipe.read_until("lines dropped");
  EXPECT_THAT(read, HasSubstr(" W log: 1000 lines dropped"));
  std::size_t lines = 0;
  for (auto at = read.find(text); at != std::string::npos; at = read.find(text, at + 1))
    ++lines;
  EXPECT_EQ(lines + dropped.value(), static_cast<std::size_t>(pushed));
  push("again");
  EXPECT_THAT(pipe.read_until("again\n"), EndsWith(" I room: again\n"));
}

TEST_F(LogWriterTest, WritesWhatIsLeftAtItsEnd) {
  for (int n = 0; n < 100; ++n)
    push("line " + std::to_string(n));
  writer.reset();
  EXPECT_THAT(pipe.read_until("line 99\n"), HasSubstr("line 0\n"));
}

TEST_F(LogWriterTest, EndsInTimeWhereNobodyReads) {
  pipe.fill();
  push("lost");
  const TimePoint began = Clock::now();
  writer.reset();
  EXPECT_LT(Clock::now() - began, kLong);
}

TEST(LogWriteWithin, GivesUpWhereNobodyReads) {
  const Pipe pipe;
  EXPECT_TRUE(write_within(pipe.entry(), "text", kLong));
  pipe.fill();
  EXPECT_FALSE(write_within(pipe.entry(), "more", milliseconds{20}));
}

}  // namespace
}  // namespace forebay::log
