#include "app/memory_plan.hpp"

#include <algorithm>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace forebay::app {
namespace {

using testing::HasSubstr;

std::uint64_t bytes_of(const std::vector<MemoryUse>& plan, const std::string& user) {
  const auto found = std::ranges::find(plan, user, &MemoryUse::user);
  return found == plan.end() ? 0 : found->bytes;
}

TEST(MemoryPlan, CountsEveryUser) {
  config::Config config;
  config.pool.size_bytes = 64 * MiB;
  config.cache.disk.devices = {{"a", 100 * (4 * MiB + 4096)}, {"b", 50 * (4 * MiB + 4096)}};
  config.s3.max_connections = 10;
  config.s3.send_buffer = 100 * KiB;
  config.s3.max_header_size = 32 * KiB;
  config.origin.max_connections = 4;
  config.origin.receive_buffer = 512 * KiB;
  config.proxy.direct_reads_max = 3;
  config.io.pread_threads = 5;
  config.log.buffer_size = 100 * KiB;
  const auto plan = plan_memory(config, 2);
  EXPECT_EQ(bytes_of(plan, "pool"), 64 * MiB);
  EXPECT_EQ(bytes_of(plan, "disk index"), 150 * KiB);
  // Twice the send buffer, the head, and 16 KiB of session.
  EXPECT_EQ(bytes_of(plan, "client connections"), 10 * (200 + 32 + 16) * KiB);
  EXPECT_EQ(bytes_of(plan, "origin connections"), 4 * (512 + 64) * KiB);
  EXPECT_EQ(bytes_of(plan, "uploads"), 2 * 64 * KiB);
  EXPECT_EQ(bytes_of(plan, "direct reads"), 3 * 64 * KiB);
  EXPECT_EQ(bytes_of(plan, "pre-staging queue"), 32 * MiB);
  EXPECT_EQ(bytes_of(plan, "pread threads"), 2 * 5 * 256 * KiB);
  EXPECT_EQ(bytes_of(plan, "log"), 128 * KiB);
  EXPECT_EQ(bytes_of(plan, "workers"), 2 * 256 * KiB);
  EXPECT_EQ(total_bytes(plan), 96 * MiB + (150 + 2480 + 2304 + 128 + 192 + 2560 + 128 + 512) * KiB);
}

TEST(MemoryPlan, TlsCostsMoreForEachConnection) {
  config::Config config;
  config.s3.max_connections = 10;
  const std::uint64_t plain = bytes_of(plan_memory(config, 1), "client connections");
  config.s3.certificate_file = "/c.pem";
  EXPECT_GT(bytes_of(plan_memory(config, 1), "client connections"), plain);
}

TEST(MemoryPlan, HasNoPreadThreadsWhereNoneRun) {
  config::Config config;
  EXPECT_EQ(bytes_of(plan_memory(config, 1), "pread threads"), 0U);
  config.cache.disk.devices = {{"a", 1 * GiB}};
  EXPECT_GT(bytes_of(plan_memory(config, 1), "pread threads"), 0U);
  config.io.kind = io::EngineKind::uring;
  EXPECT_EQ(bytes_of(plan_memory(config, 1), "pread threads"), 0U);
}

TEST(MemoryPlan, SaysTheSumAndTheLimit) {
  const std::vector<MemoryUse> plan{{"pool", 3 * GiB, "memory.pool_size"},
                                    {"workers", 512 * KiB, "2 threads of 256.0 KiB"}};
  EXPECT_EQ(describe(plan, std::nullopt),
            "  pool                    3.00 GiB  memory.pool_size\n"
            "  workers                512.0 KiB  2 threads of 256.0 KiB\n"
            "  sum                     3.00 GiB  (no control group limits it)\n");
  EXPECT_THAT(describe(plan, 4 * GiB),
              HasSubstr("3.00 GiB  of 4.00 GiB that the control group allows\n"));
}

}  // namespace
}  // namespace forebay::app
