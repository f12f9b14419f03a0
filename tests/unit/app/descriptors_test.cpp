#include "app/descriptors.hpp"

#include <gtest/gtest.h>

namespace forebay::app {
namespace {

TEST(ClientsThatFit, LeavesTheOthersWhatTheyNeed) {
  config::Config config;
  config.s3.max_connections = 4'000;
  config.admin.max_connections = 64;
  config.origin.max_connections = 500;
  // 64, 500, and 256 for devices and the rest.
  constexpr std::uint64_t kOthers = 820;
  EXPECT_EQ(clients_that_fit(config, 1'000'000), 4'000U);
  EXPECT_EQ(clients_that_fit(config, 4'000 + kOthers), 4'000U);
  EXPECT_EQ(clients_that_fit(config, 3'999 + kOthers), 3'999U);
  EXPECT_EQ(clients_that_fit(config, 2 * kOthers), kOthers);
  EXPECT_EQ(clients_that_fit(config, 1'000), 500U) << "half of too few";
  EXPECT_EQ(clients_that_fit(config, 200), 100U);
}

}  // namespace
}  // namespace forebay::app
