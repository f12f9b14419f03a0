#pragma once
// What was purged while recovery has not seen every slot yet.
#include <forebay/cache/identity.hpp>

#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace forebay::cache {

/// Any thread. Who purges adds first and looks at the index then; who recovers a block shows it in
/// the index first and looks here then: one of the two sees the other.
class PurgeList {
 public:
  void add(std::string bucket, std::string prefix) {
    const std::lock_guard lock{mutex_};
    purged_.emplace_back(std::move(bucket), std::move(prefix));
  }
  bool matches(const Identity& identity) const {
    const std::lock_guard lock{mutex_};
    for (const auto& [bucket, prefix] : purged_) {
      if (identity.bucket == bucket && identity.key.starts_with(prefix))
        return true;
    }
    return false;
  }
  void clear() {
    const std::lock_guard lock{mutex_};
    purged_.clear();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::pair<std::string, std::string>> purged_;  ///< Guarded by mutex_.
};

}  // namespace forebay::cache
