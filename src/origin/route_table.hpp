#pragma once
// What redirects have taught: which host, and which region, a bucket lives at.
#include <forebay/base/units.hpp>
#include <forebay/origin/client.hpp>

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace forebay::origin {

/// Any thread. What it knows is forgotten after a while: buckets are made anew elsewhere, and
/// temporary redirects end.
class RouteTable {
 public:
  std::optional<Route> find(std::string_view bucket) const;
  void note(std::string_view bucket, Route route);

 private:
  struct Entry {
    Route route;
    TimePoint until;
  };

  std::atomic<bool> empty_{true};  ///< Spares the lock to who was never redirected.
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Entry> entries_;  ///< Guarded by mutex_.
};

}  // namespace forebay::origin
