#include "io/file_device.hpp"
#include "io/transport.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/base/errc.hpp>
#include <forebay/base/log.hpp>
#include <forebay/base/metrics.hpp>
#include <forebay/io/block_device.hpp>

#include <fstream>
#include <utility>

#include <fmt/format.h>

namespace forebay::io {
namespace {

/// Why the kernel may have said no, for the one line that the operator sees.
std::string explain(const Error& error) {
  if (error == boost::system::errc::not_enough_memory)
    return "the memlock limit of this user is used up";
  if (error == boost::system::errc::function_not_supported)
    return "this kernel has no io_uring";
  if (error != boost::system::errc::operation_not_permitted)
    return "unexpected";
  std::ifstream file{"/proc/sys/kernel/io_uring_disabled"};
  int disabled = 0;
  file >> disabled;
  if (disabled != 0)
    return fmt::format("kernel.io_uring_disabled is {}", disabled);
  return "kernel.io_uring_disabled is 0: a seccomp profile refuses it";
}

class Engine final : public IoEngine {
 public:
  explicit Engine(std::unique_ptr<Transport> transport) : transport_{std::move(transport)} {
    metrics::Registry::instance()
        .gauge("forebay_io_engine_info", "What reads and writes the devices; always 1.",
               {{"engine", std::string{transport_->name()}}})
        .set(1);
  }

  std::string_view name() const override { return transport_->name(); }

  Result<std::unique_ptr<BlockDevice>> open(const std::string& path,
                                            std::uint64_t size_bytes) override {
    TRY(OpenFile file, open_file(path, size_bytes));
    return std::make_unique<FileDevice>(*transport_, std::move(file));
  }

 private:
  std::unique_ptr<Transport> transport_;
};

}  // namespace

Result<std::unique_ptr<IoEngine>> IoEngine::create(const EngineConfig& config,
                                                   runtime::WorkerPool& workers) {
  ASSERT(runtime::Worker::current_or_null() == nullptr);
  std::string reason = "as configured";
  if (config.kind != EngineKind::pread) {
    auto rings = make_uring_transport(workers, config.ring_entries);
    if (rings) {
      auto transport = std::move(rings).value();
      log::get("io").info("disk engine={} {}", transport->name(), transport->extent());
      return std::make_unique<Engine>(std::move(transport));
    }
    reason = fmt::format("io_uring: {}; {}", rings.error().message(), explain(rings.error()));
  }
  if (config.kind == EngineKind::uring) {
    log::get("io").error("io.engine is uring, and the kernel refuses it: {}", reason);
    return Errc::device_failed;
  }
  const auto level =
      config.kind == EngineKind::automatic ? spdlog::level::warn : spdlog::level::info;
  auto transport = make_pread_transport(config.pread_threads);
  log::get("io").log(level, "disk engine={} {} reason=\"{}\" hint=docs/io_uring.md",
                     transport->name(), transport->extent(), reason);
  return std::make_unique<Engine>(std::move(transport));
}

}  // namespace forebay::io
