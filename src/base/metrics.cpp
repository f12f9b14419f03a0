#include <forebay/base/assert.hpp>
#include <forebay/base/metrics.hpp>

#include <algorithm>
#include <tuple>

namespace forebay::metrics {

struct Registry::Entry {
  std::string name;
  std::string help;
  Labels labels;
  Kind kind;
  Counter counter;
  Gauge gauge;
  Histogram histogram;
  std::function<double()> function;
};

void Histogram::observe(double seconds) noexcept {
  const auto* bound = std::lower_bound(kBounds.begin(), kBounds.end(), seconds);
  buckets_[static_cast<std::size_t>(bound - kBounds.begin())].fetch_add(1,
                                                                        std::memory_order_relaxed);
  sum_us_.fetch_add(static_cast<std::uint64_t>(seconds * 1e6), std::memory_order_relaxed);
}

Registry::Registry() = default;
Registry::~Registry() = default;

Registry& Registry::instance() {
  static Registry registry;
  return registry;
}

Registry::Entry& Registry::find_or_add(std::string_view name, std::string_view help, Labels labels,
                                       Kind kind) {
  for (const auto& entry : entries_) {
    if (entry->name == name && entry->labels == labels) {
      ASSERT(entry->kind == kind);
      return *entry;
    }
  }
  auto entry = std::make_unique<Entry>();
  entry->name = name;
  entry->help = help;
  entry->labels = std::move(labels);
  entry->kind = kind;
  entries_.push_back(std::move(entry));
  return *entries_.back();
}

Counter& Registry::counter(std::string_view name, std::string_view help, Labels labels) {
  const std::lock_guard lock{mutex_};
  return find_or_add(name, help, std::move(labels), Kind::counter).counter;
}

Gauge& Registry::gauge(std::string_view name, std::string_view help, Labels labels) {
  const std::lock_guard lock{mutex_};
  return find_or_add(name, help, std::move(labels), Kind::gauge).gauge;
}

Histogram& Registry::histogram(std::string_view name, std::string_view help, Labels labels) {
  const std::lock_guard lock{mutex_};
  return find_or_add(name, help, std::move(labels), Kind::histogram).histogram;
}

void Registry::gauge_function(std::string_view name, std::string_view help,
                              std::function<double()> read, Labels labels) {
  const std::lock_guard lock{mutex_};
  find_or_add(name, help, std::move(labels), Kind::gauge).function = std::move(read);
}

std::vector<Series> Registry::snapshot() const {
  std::vector<Series> series;
  {
    const std::lock_guard lock{mutex_};
    for (const auto& entry : entries_) {
      std::function<double()> read = entry->function;
      if (entry->kind == Kind::counter)
        read = [e = entry.get()] { return static_cast<double>(e->counter.value()); };
      else if (!read)
        read = [e = entry.get()] { return static_cast<double>(e->gauge.value()); };
      series.push_back({entry->name, entry->help, entry->labels, entry->kind, std::move(read),
                        &entry->histogram});
    }
  }
  std::sort(series.begin(), series.end(), [](const Series& a, const Series& b) {
    return std::tie(a.name, a.labels) < std::tie(b.name, b.labels);
  });
  return series;
}

}  // namespace forebay::metrics
