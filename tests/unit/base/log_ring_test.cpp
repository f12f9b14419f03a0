#include "base/log_ring.hpp"

#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace forebay::log {
namespace {

Line line(std::string_view text) {
  Line made;
  made.logger = "room";
  made.text = text;
  return made;
}

/// Removes the oldest line and returns its text.
std::string take(LogRing& ring) {
  const auto front = ring.front();
  if (!front)
    return "(none)";
  std::string text{front->text};
  ring.pop();
  return text;
}

TEST(LogRing, GivesWhatItWasGivenInOrder) {
  LogRing ring{LogRing::kSizeMin};
  EXPECT_TRUE(ring.empty());
  EXPECT_FALSE(ring.front());
  Line first = line("first");
  first.level = spdlog::level::err;
  first.time = spdlog::log_clock::time_point{std::chrono::seconds{5}};
  EXPECT_TRUE(ring.push(first));
  EXPECT_TRUE(ring.push(line("")));
  EXPECT_FALSE(ring.empty());
  const auto front = ring.front();
  ASSERT_TRUE(front);
  EXPECT_EQ(front->text, "first");
  EXPECT_EQ(front->logger, "room");
  EXPECT_EQ(front->level, spdlog::level::err);
  EXPECT_EQ(front->time, first.time);
  ring.pop();
  EXPECT_EQ(take(ring), "");
  EXPECT_TRUE(ring.empty());
  EXPECT_EQ(ring.pushed(), ring.popped());
}

TEST(LogRing, RefusesWhatDoesNotFitAndHasRoomAgain) {
  LogRing ring{LogRing::kSizeMin};
  const std::string text(1'000, 'x');
  std::size_t fitted = 0;
  while (ring.push(line(text)))
    ++fitted;
  EXPECT_GT(fitted, LogRing::kSizeMin / 1'200);
  EXPECT_LE(ring.pushed() - ring.popped(), LogRing::kSizeMin);
  EXPECT_EQ(take(ring), text);
  EXPECT_EQ(take(ring), text);
  EXPECT_TRUE(ring.push(line(text)));
}

TEST(LogRing, CutsALineThatIsTooLong) {
  LogRing ring{LogRing::kSizeMin};
  EXPECT_TRUE(ring.push(line(std::string(2 * LogRing::kTextMax, 'x'))));
  EXPECT_EQ(take(ring), std::string(LogRing::kTextMax, 'x'));
}

TEST(LogRing, LinesOfEveryLengthPassItsEnd) {
  LogRing ring{LogRing::kSizeMin};
  for (std::size_t size = 0; size < 3'000; ++size) {
    const std::string text(size, static_cast<char>('a' + size % 26));
    ASSERT_TRUE(ring.push(line(text)));
    ASSERT_TRUE(ring.push(line("between")));
    ASSERT_EQ(take(ring), text);
    ASSERT_EQ(take(ring), "between");
  }
}

TEST(LogRing, ManyThreadsPushWhileOneTakes) {
  constexpr int kThreads = 4;
  constexpr int kLines = 20'000;
  LogRing ring{LogRing::kSizeMin};
  std::atomic<int> refused{0};
  std::atomic<int> at_work{kThreads};
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int n = 0; n < kLines; ++n) {
        const std::string text = std::to_string(thread) + " " + std::to_string(n) + " " +
                                 std::string(static_cast<std::size_t>(n % 300), 'x');
        refused += ring.push(line(text)) ? 0 : 1;
      }
      --at_work;
    });
  }
  std::vector<int> last(kThreads, -1);
  int taken = 0;
  for (;;) {
    const bool all_pushed = at_work == 0;
    const auto front = ring.front();
    if (!front) {
      if (all_pushed)
        break;
      continue;
    }
    const std::string text{front->text};
    ring.pop();
    ++taken;
    const auto space = text.find(' ', 2);
    const auto thread = static_cast<std::size_t>(text[0] - '0');
    const int number = std::stoi(text.substr(2, space - 2));
    ASSERT_LT(last.at(thread), number);
    last[thread] = number;
    ASSERT_EQ(text.substr(space + 1), std::string(static_cast<std::size_t>(number % 300), 'x'));
  }
  EXPECT_EQ(taken + refused, kThreads * kLines);
}

}  // namespace
}  // namespace forebay::log
