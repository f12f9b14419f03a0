#include <forebay/base/errc.hpp>
#include <forebay/base/log.hpp>

#include <array>
#include <mutex>

#include <spdlog/sinks/stdout_sinks.h>

namespace forebay::log {
namespace {

constexpr const char* kPattern = "%Y-%m-%dT%H:%M:%S.%e%z %L %n: %v";

std::shared_ptr<spdlog::sinks::stderr_sink_mt> shared_sink() {
  static const auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  return sink;
}

std::mutex& registry_mutex() {
  static std::mutex mutex;
  return mutex;
}

}  // namespace

Result<void> configure(const Config& config) {
  constexpr std::array<std::string_view, 6> kLevels{"trace", "debug", "info",
                                                    "warn",  "error", "off"};
  for (const std::string_view known : kLevels) {
    if (config.level != known)
      continue;
    shared_sink()->set_pattern(kPattern);
    spdlog::set_level(spdlog::level::from_str(config.level));
    return success();
  }
  return Errc::invalid_config;
}

spdlog::logger& get(std::string_view room) {
  const std::string name{room};
  const std::lock_guard lock{registry_mutex()};
  if (auto existing = spdlog::get(name))
    return *existing;
  auto logger = std::make_shared<spdlog::logger>(name, shared_sink());
  spdlog::initialize_logger(logger);
  logger->set_pattern(kPattern);
  logger->flush_on(spdlog::level::trace);
  return *logger;
}

}  // namespace forebay::log
