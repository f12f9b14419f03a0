#include "io/transport.hpp"

#include <array>
#include <cerrno>

#include <gtest/gtest.h>

namespace forebay::io {
namespace {

std::array<char, 100> memory;

Transfer transfer() {
  Transfer t;
  t.offset = 1000;
  t.parts = {{memory.data(), 40}, {memory.data() + 40, 20}, {memory.data() + 60, 40}};
  return t;
}

TEST(Transfer, EndsWhenEveryByteHasMoved) {
  Transfer t = transfer();
  EXPECT_EQ(t.note(100), 0);
}

TEST(Transfer, GoesOnWhereAnAttemptEnded) {
  for (int moved = 1; moved < 100; ++moved) {
    SCOPED_TRACE(moved);
    Transfer t = transfer();
    ASSERT_FALSE(t.note(moved));
    EXPECT_EQ(t.offset, 1000U + static_cast<unsigned>(moved));
    EXPECT_EQ(t.parts.front().iov_base, memory.data() + moved);
    std::size_t left = 0;
    for (const iovec& part : t.parts) {
      EXPECT_NE(part.iov_len, 0U);
      left += part.iov_len;
    }
    EXPECT_EQ(left, 100U - static_cast<unsigned>(moved));
    EXPECT_EQ(t.note(static_cast<int>(left)), 0);
  }
}

TEST(Transfer, ErrorsEndItAndTheEndOfTheFileIsOne) {
  EXPECT_EQ(transfer().note(-EIO), EIO);
  EXPECT_EQ(transfer().note(-ENOSPC), ENOSPC);
  EXPECT_EQ(transfer().note(0), EIO);
}

TEST(Transfer, AnInterruptionIsTriedAgainButNotForEver) {
  Transfer t = transfer();
  EXPECT_FALSE(t.note(-EINTR));
  EXPECT_FALSE(t.note(50));
  std::optional<int> error;
  int attempts = 0;
  for (; !error && attempts < 10'000; ++attempts)
    error = t.note(-EAGAIN);
  EXPECT_EQ(error, EAGAIN);
  EXPECT_LT(attempts, 10'000);
}

}  // namespace
}  // namespace forebay::io
