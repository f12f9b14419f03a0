#include "app/signals.hpp"

#include <csignal>

#include <gtest/gtest.h>
#include <unistd.h>

namespace forebay::app {
namespace {

/// Signals stay blocked for the thread that asked: leave the others as they were.
class SignalsTest : public testing::Test {
 protected:
  SignalsTest() { pthread_sigmask(SIG_SETMASK, nullptr, &before_); }
  ~SignalsTest() override {
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    std::signal(SIGPIPE, SIG_DFL);
  }

  sigset_t before_{};
};

TEST_F(SignalsTest, WaitsForEitherSignal) {
  const Signals signals;
  EXPECT_EQ(signals.wait(milliseconds{0}), 0);
  for (const int number : {SIGTERM, SIGINT}) {
    std::raise(number);
    EXPECT_EQ(signals.wait(milliseconds{60'000}), number);
  }
  EXPECT_EQ(signals.wait(milliseconds{1}), 0);
}

TEST_F(SignalsTest, AClosedPipeIsAnErrorOfTheWrite) {
  const Signals signals;
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  EXPECT_EQ(write(ends[1], "x", 1), -1);
  close(ends[1]);
}

}  // namespace
}  // namespace forebay::app
