#include "base/log_format.hpp"
#include "base/log_writer.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/base/errc.hpp>
#include <forebay/base/log.hpp>

#include <array>
#include <atomic>
#include <mutex>

#include <spdlog/sinks/sink.h>
#include <unistd.h>

namespace forebay::log {
namespace {

/// How long a line written without a Writer may wait for whoever reads it.
constexpr milliseconds kDirectPatience{1'000};

std::atomic<LogWriter*> active_writer{nullptr};

/// Where all loggers write: through the Writer while there is one, else directly.
class Sink final : public spdlog::sinks::sink {
 public:
  void log(const spdlog::details::log_msg& message) override {
    const Line line{message.time,
                    message.level,
                    {message.logger_name.data(), message.logger_name.size()},
                    {message.payload.data(), message.payload.size()}};
    if (LogWriter* writer = active_writer.load(std::memory_order_acquire)) {
      writer->push(line);
      return;
    }
    const std::lock_guard lock{mutex_};
    write_within(STDERR_FILENO, format_(line), kDirectPatience);
  }
  void flush() override {}
  void set_pattern(const std::string& /*pattern*/) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter> /*formatter*/) override {}

 private:
  std::mutex mutex_;
  Formatter format_;  ///< Guarded by mutex_.
};

/// The loggers made so far. Never destroyed: lines may be logged until the process has ended.
class Loggers {
 public:
  static Loggers& instance() {
    static Loggers& loggers = *new Loggers;
    return loggers;
  }

  spdlog::logger& get(std::string_view room) {
    if (spdlog::logger* known = find(room))
      return *known;
    const std::lock_guard lock{mutex_};
    if (spdlog::logger* known = find(room))
      return *known;
    const std::size_t index = count_;
    ASSERT(index < loggers_.size());
    loggers_[index] = std::make_shared<spdlog::logger>(std::string{room}, sink_);
    // Gives it the level, and lets set_level() find it.
    spdlog::initialize_logger(loggers_[index]);
    count_.store(index + 1, std::memory_order_release);
    return *loggers_[index];
  }

 private:
  spdlog::logger* find(std::string_view room) const {
    const std::size_t count = count_.load(std::memory_order_acquire);
    for (std::size_t i = 0; i < count; ++i) {
      if (loggers_[i]->name() == room)
        return loggers_[i].get();
    }
    return nullptr;
  }

  const std::shared_ptr<Sink> sink_ = std::make_shared<Sink>();
  std::mutex mutex_;
  /// Those below count_ do not change any more; adding one needs mutex_.
  std::array<std::shared_ptr<spdlog::logger>, 32> loggers_;
  std::atomic<std::size_t> count_{0};
};

}  // namespace

Result<void> configure(const Config& config) {
  constexpr std::array<std::string_view, 6> kLevels{"trace", "debug", "info",
                                                    "warn",  "error", "off"};
  for (const std::string_view known : kLevels) {
    if (config.level != known)
      continue;
    spdlog::set_level(spdlog::level::from_str(config.level));
    return success();
  }
  return Errc::invalid_config;
}

spdlog::logger& get(std::string_view room) {
  return Loggers::instance().get(room);
}

void last_words(std::string_view text) noexcept {
  flush(kDirectPatience);
  write_within(STDERR_FILENO, text, kDirectPatience);
}

bool flush(milliseconds patience) noexcept {
  const LogWriter* writer = active_writer.load(std::memory_order_acquire);
  return writer == nullptr || writer->flush(patience);
}

Writer::Writer(const Config& config) {
  auto& registry = metrics::Registry::instance();
  registry.gauge_function("forebay_log_waiting_bytes", "Of lines that are not written yet.", [] {
    const LogWriter* writer = active_writer.load(std::memory_order_acquire);
    return writer == nullptr ? 0.0 : static_cast<double>(writer->waiting_bytes());
  });
  metrics::Counter& dropped = registry.counter(
      "forebay_log_lines_dropped_total", "Lines lost because whoever reads the log was too slow.");
  writer_ = std::make_unique<LogWriter>(STDERR_FILENO, config.buffer_size, dropped);
  LogWriter* none = nullptr;
  ASSERT(active_writer.compare_exchange_strong(none, writer_.get()));
}

Writer::~Writer() {
  active_writer = nullptr;
}

}  // namespace forebay::log
