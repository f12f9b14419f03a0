#include "app/serve.hpp"

#include "app/cgroup.hpp"
#include "app/daemon.hpp"
#include "app/descriptors.hpp"
#include "app/memory_plan.hpp"
#include "app/signals.hpp"
#include "app/version.hpp"

#include <forebay/app/core_dumps.hpp>
#include <forebay/base/errc.hpp>
#include <forebay/base/log.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>
#include <thread>

namespace forebay::app {
namespace {

constexpr std::chrono::seconds kPollInterval{1};
constexpr milliseconds kLimitInterval{50};
/// What the last lines may take where nobody reads them.
constexpr milliseconds kLastLines{1'000};

// Exit codes.
constexpr int kFailed = 1;
constexpr int kUnusable = 2;

void log_lines(std::string_view lines) {
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    log::get("app").info("{}", line);
    lines.remove_prefix(std::min(lines.size(), line.size() + 1));
  }
}

/// Ends the process when a drain takes too long or another signal comes, whatever the workers are
/// stuck in.
class DrainLimit {
 public:
  DrainLimit(const Signals& signals, milliseconds patience)
      : thread_{[&signals, patience](const std::stop_token& done) {
          watch(signals, Deadline::after(patience), done);
        }} {}

 private:
  static void watch(const Signals& signals, Deadline deadline, const std::stop_token& done) {
    while (!done.stop_requested()) {
      if (signals.wait(kLimitInterval) == 0 && !deadline.expired())
        continue;
      log::get("app").warn("leaving with exchanges in progress");
      log::flush(kLastLines);
      std::_Exit(0);
    }
  }

  std::jthread thread_;
};

void run_until_stopped(Daemon& daemon, const Signals& signals, milliseconds patience) {
  int number = 0;
  while ((number = signals.wait(kPollInterval)) == 0)
    daemon.poll();
  log::get("app").info("signal {}: no new connections, draining for {:.1f} s at most", number,
                       std::chrono::duration<double>(patience).count());
  const DrainLimit limit{signals, patience};
  daemon.stop();
}

void say_terminated(const char* why) noexcept {
  std::array<char, 512> text{};
  std::snprintf(text.data(), text.size(), "forebay: terminate called: %s\n", why);
  log::last_words(text.data());
}

/// Instead of the C++ library's, which would wait for a log that nobody reads.
[[noreturn]] void end_by_exception() noexcept {
  try {
    if (const auto exception = std::current_exception())
      std::rethrow_exception(exception);
    say_terminated("without an exception");
  } catch (const std::exception& failure) {
    say_terminated(failure.what());
  } catch (...) {
    say_terminated("an unknown exception");
  }
  std::abort();
}

Result<std::unique_ptr<Daemon>> start(const config::Config& config) {
  try {
    return Daemon::start(config);
  } catch (const std::exception& failure) {
    // Memory or threads that the system does not give.
    log::get("app").error("{}", failure.what());
    return Errc::overloaded;
  }
}

}  // namespace

MemoryVerdict judge_memory(const config::Config& config) {
  const std::size_t workers =
      config.runtime.workers != 0 ? config.runtime.workers : std::thread::hardware_concurrency();
  const auto plan = plan_memory(config, workers);
  const auto limit = cgroup_memory_limit();
  return {.fits = !limit || total_bytes(plan) <= *limit, .lines = describe(plan, limit)};
}

int serve(const config::Config& config) {
  const Signals signals;
  const log::Writer writer{config.log};
  std::set_terminate(end_by_exception);
  spdlog::logger& log = log::get("app");
  log.info("forebay {} starting", version());
  if (config.process.core_dumps) {
    allow_core_dumps(true);
    log.warn("runtime.core_dumps is true: a core file of this process would hold keys");
  }
  const MemoryVerdict memory = judge_memory(config);
  log.info("memory that this configuration may use:");
  log_lines(memory.lines);
  if (!memory.fits) {
    log.error(
        "more than the control group allows: lower memory.pool_size, "
        "listen.max_connections, listen.send_buffer, origin.max_connections or "
        "origin.receive_buffer");
    return kUnusable;
  }
  config::Config shared = config;
  share_descriptors(shared);
  auto daemon = start(shared);
  if (!daemon) {
    log.error("cannot start: {}", daemon.error().message());
    return daemon.error() == Errc::invalid_config ? kUnusable : kFailed;
  }
  log.info("serving S3 on port {}, operators on port {}", daemon.value()->s3_port(),
           daemon.value()->admin_port());
  run_until_stopped(*daemon.value(), signals, config.runtime.drain_timeout);
  daemon.value().reset();
  log.info("stopped");
  return 0;
}

}  // namespace forebay::app
