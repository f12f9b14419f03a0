#pragma once
// Metric primitives and their registry. Names follow Prometheus:
// forebay_<room>_<what>_<unit>[_total]. A metric is declared once, with its help, where it is
// counted; admin/ renders the registry as text.
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace forebay::metrics {

/// Only grows. Any thread; relaxed.
class Counter {
 public:
  void add(std::uint64_t n = 1) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }
  std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  alignas(64) std::atomic<std::uint64_t> value_{0};
};

/// Goes up and down. Any thread; relaxed.
class Gauge {
 public:
  void set(std::int64_t v) noexcept { value_.store(v, std::memory_order_relaxed); }
  void add(std::int64_t n) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }
  std::int64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  alignas(64) std::atomic<std::int64_t> value_{0};
};

/// Seconds, in fixed buckets from 0.5 ms to 60 s. Any thread; relaxed.
class Histogram {
 public:
  static constexpr std::array<double, 14> kBounds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                  0.1,    0.25,  0.5,    1.0,   5.0,  15.0,  60.0};
  void observe(double seconds) noexcept;
  std::uint64_t bucket(std::size_t i) const noexcept {
    return buckets_[i].load(std::memory_order_relaxed);
  }
  double sum() const noexcept {
    return static_cast<double>(sum_us_.load(std::memory_order_relaxed)) / 1e6;
  }

 private:
  std::array<std::atomic<std::uint64_t>, kBounds.size() + 1> buckets_{};
  std::atomic<std::uint64_t> sum_us_{0};
};

using Labels = std::vector<std::pair<std::string, std::string>>;

enum class Kind { counter, gauge, histogram };

/// What the registry knows of one metric and what `visit` hands out.
struct Series {
  std::string name;
  std::string help;
  Labels labels;
  Kind kind;
  std::function<double()> read;          ///< counter and gauge
  const Histogram* histogram = nullptr;  ///< histogram
};

/// Owns every metric of the process. References it returns stay valid until exit. Any thread.
class Registry {
 public:
  Registry();
  ~Registry();
  static Registry& instance();

  /// The same name and labels twice give the same metric.
  Counter& counter(std::string_view name, std::string_view help, Labels labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, Labels labels = {});
  Histogram& histogram(std::string_view name, std::string_view help, Labels labels = {});
  /// A gauge read when scraped. `read` runs on the scraping thread and must not block; it must stay
  /// callable until exit.
  void gauge_function(std::string_view name, std::string_view help, std::function<double()> read,
                      Labels labels = {});

  /// All series, ordered by name, series of one name together.
  std::vector<Series> snapshot() const;

 private:
  struct Entry;
  Entry& find_or_add(std::string_view name, std::string_view help, Labels labels, Kind kind);

  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Entry>> entries_;
};

}  // namespace forebay::metrics
