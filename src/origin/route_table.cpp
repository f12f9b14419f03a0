#include "origin/route_table.hpp"

#include <utility>

namespace forebay::origin {
namespace {

constexpr milliseconds kLifetime{5 * 60 * 1'000};
constexpr std::size_t kEntriesMax = 4'096;

}  // namespace

std::optional<Route> RouteTable::find(std::string_view bucket) const {
  if (empty_.load(std::memory_order_acquire))
    return std::nullopt;
  const std::lock_guard lock{mutex_};
  const auto found = entries_.find(std::string{bucket});
  if (found == entries_.end() || found->second.until < Clock::now())
    return std::nullopt;
  return found->second.route;
}

void RouteTable::note(std::string_view bucket, Route route) {
  const TimePoint now = Clock::now();
  const std::lock_guard lock{mutex_};
  if (entries_.size() >= kEntriesMax)
    std::erase_if(entries_, [now](const auto& entry) { return entry.second.until < now; });
  if (entries_.size() >= kEntriesMax)
    entries_.clear();
  entries_[std::string{bucket}] = Entry{std::move(route), now + kLifetime};
  empty_.store(false, std::memory_order_release);
}

}  // namespace forebay::origin
