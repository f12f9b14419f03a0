#pragma once
// What was purged while blocks were on their way to where a purge finds them.
#include <forebay/cache/identity.hpp>

#include <cstdint>
#include <deque>
#include <mutex>
#include <set>
#include <string>
#include <utility>

namespace forebay::cache {

/// Any thread. Who purges adds first and looks at the index then; who brings a block, from the
/// origin or from a slot that recovery reads, watches from before, shows it in the index and looks
/// here then: one of the two sees the other. Entries that are older than every watch are forgotten.
class PurgeList {
 public:
  /// Sees what is added as long as it lives, which is no longer than the list does.
  class Watch {
   public:
    explicit Watch(PurgeList& list) : list_{&list}, since_{list.begin_watch()} {}
    Watch(Watch&& other) noexcept
        : list_{std::exchange(other.list_, nullptr)}, since_{other.since_} {}
    Watch& operator=(Watch&&) = delete;
    ~Watch() {
      if (list_ != nullptr)
        list_->end_watch(since_);
    }

    bool matches(const Identity& identity) const { return list_->matches(identity, since_); }

   private:
    PurgeList* list_;
    std::uint64_t since_;
  };

  void add(std::string bucket, std::string prefix) {
    const std::lock_guard lock{mutex_};
    if (!watches_.empty())
      purged_.emplace_back(std::move(bucket), std::move(prefix));
  }

 private:
  std::uint64_t begin_watch() {
    const std::lock_guard lock{mutex_};
    return *watches_.insert(first_ + purged_.size());
  }
  void end_watch(std::uint64_t since) {
    const std::lock_guard lock{mutex_};
    watches_.erase(watches_.find(since));
    while (!purged_.empty() && (watches_.empty() || first_ < *watches_.begin())) {
      purged_.pop_front();
      ++first_;
    }
  }
  bool matches(const Identity& identity, std::uint64_t since) const {
    const std::lock_guard lock{mutex_};
    for (std::size_t i = since - first_; i < purged_.size(); ++i) {
      const auto& [bucket, prefix] = purged_[i];
      if (identity.bucket == bucket && identity.key.starts_with(prefix))
        return true;
    }
    return false;
  }

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::deque<std::pair<std::string, std::string>> purged_;
  std::uint64_t first_ = 0;               ///< The number of the first entry that is left.
  std::multiset<std::uint64_t> watches_;  ///< By the number of the first entry each can see.
};

}  // namespace forebay::cache
