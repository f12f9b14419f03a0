#include "app/memory_plan.hpp"

#include <algorithm>
#include <bit>

#include <fmt/format.h>

namespace forebay::app {
namespace {

/// A slot holds one block and its header. The index keeps its checksums and places in tables; the
/// rest is for the name of an object that has one block only.
constexpr std::uint64_t kSlotSize = cache::kBlockSize + io::kDeviceAlignment;
constexpr std::uint64_t kIndexBytesPerSlot = 1 * KiB;
/// Coroutine frames and parsed heads of one session, beside its head buffer.
constexpr std::uint64_t kSessionBytes = 16 * KiB;
/// What OpenSSL keeps for one connection.
constexpr std::uint64_t kTlsBytes = 48 * KiB;
/// One relay buffer (proxy/relay.hpp), for bodies that do not pass through the pool.
constexpr std::uint64_t kRelayBytes = 64 * KiB;
/// Stack that a thread touches.
constexpr std::uint64_t kThreadBytes = 256 * KiB;

std::string text(std::uint64_t bytes) {
  if (bytes >= GiB)
    return fmt::format("{:.2f} GiB", static_cast<double>(bytes) / static_cast<double>(GiB));
  if (bytes >= MiB)
    return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / static_cast<double>(MiB));
  return fmt::format("{:.1f} KiB", static_cast<double>(bytes) / static_cast<double>(KiB));
}

MemoryUse counted(std::string user, std::uint64_t count, std::uint64_t each,
                  const std::string& what) {
  return {std::move(user), count * each, fmt::format("{} {} of {}", count, what, text(each))};
}

MemoryUse client_connections(const config::Config& config) {
  const net::ListenConfig& s3 = config.s3;
  // Linux doubles SO_SNDBUF, for its own bookkeeping (socket(7)).
  std::uint64_t each = 2 * s3.send_buffer + s3.max_header_size + kSessionBytes;
  if (!s3.certificate_file.empty())
    each += kTlsBytes;
  return counted("client connections", s3.max_connections, each, "connections");
}

/// Receive buffers, and what relays bodies: one buffer for a response, a second one for an upload,
/// which holds its last piece back (proxy/body_writer.hpp).
void add_origin_connections(const config::Config& config, std::vector<MemoryUse>& plan) {
  const origin::OriginConfig& origin = config.origin;
  const std::uint64_t each = origin.receive_buffer + kRelayBytes;
  plan.push_back(counted("origin connections", origin.max_connections, each, "connections"));
  const std::uint64_t half = std::max<std::uint64_t>(1, origin.max_connections / 2);
  const std::uint64_t uploads =
      origin.max_uploads == 0 ? half : std::min(origin.max_uploads, origin.max_connections);
  plan.push_back(counted("uploads", uploads, kRelayBytes, "second pieces"));
}

}  // namespace

std::vector<MemoryUse> plan_memory(const config::Config& config, std::size_t workers) {
  std::uint64_t slots = 0;
  for (const cache::DeviceConfig& device : config.cache.disk.devices)
    slots += device.size_bytes / kSlotSize;
  std::vector<MemoryUse> plan;
  plan.push_back({"pool", config.pool.size_bytes, "memory.pool_size"});
  if (slots != 0)
    plan.push_back(counted("disk index", slots, kIndexBytesPerSlot, "slots"));
  plan.push_back(client_connections(config));
  add_origin_connections(config, plan);
  plan.push_back(
      counted("direct reads", config.proxy.direct_reads_max, kRelayBytes, "relay buffers"));
  if (config.proxy.prestage.trigger != proxy::PrestageTrigger::off && slots != 0)
    plan.push_back({"pre-staging queue", proxy::kPrestageQueueBytes, "objects that wait"});
  if (config.io.kind != io::EngineKind::uring && slots != 0)
    plan.push_back(counted("pread threads",
                           config.io.pread_threads * config.cache.disk.devices.size(), kThreadBytes,
                           "threads"));
  plan.push_back({"log", std::bit_ceil(config.log.buffer_size), "log.buffer_size"});
  plan.push_back(counted("workers", workers, kThreadBytes, "threads"));
  return plan;
}

std::uint64_t total_bytes(const std::vector<MemoryUse>& plan) {
  std::uint64_t total = 0;
  for (const MemoryUse& use : plan)
    total += use.bytes;
  return total;
}

std::string describe(const std::vector<MemoryUse>& plan, std::optional<std::uint64_t> limit) {
  std::string lines;
  for (const MemoryUse& use : plan)
    lines += fmt::format("  {:<20} {:>11}  {}\n", use.user, text(use.bytes), use.reckoning);
  return lines + fmt::format("  {:<20} {:>11}  {}\n", "sum", text(total_bytes(plan)),
                             limit ? "of " + text(*limit) + " that the control group allows"
                                   : "(no control group limits it)");
}

}  // namespace forebay::app
