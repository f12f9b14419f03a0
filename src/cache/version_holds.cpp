#include "cache/version_holds.hpp"

#include <algorithm>

namespace forebay::cache {

// A version is listed before its counter is read, and a counter falls before the list is looked at:
// of a reader that leaves and an overwrite that comes, one sees the other. All in the one order of
// sequentially consistent operations.

void VersionHolds::hold(const Object& version) {
  counter(version).fetch_add(1, std::memory_order_seq_cst);
}

std::vector<ObjectPtr> VersionHolds::release(const Object& version) {
  const bool last = counter(version).fetch_sub(1, std::memory_order_seq_cst) == 1;
  if (!last || superseded_count_.load(std::memory_order_seq_cst) == 0)
    return {};
  return take_free();
}

std::vector<ObjectPtr> VersionHolds::take_free() {
  const std::lock_guard lock{mutex_};
  const auto is_held = [this](const ObjectPtr& version) { return held(*version); };
  const auto kept = std::partition(superseded_.begin(), superseded_.end(), is_held);
  std::vector<ObjectPtr> free{kept, superseded_.end()};
  superseded_.erase(kept, superseded_.end());
  superseded_count_.store(superseded_.size(), std::memory_order_seq_cst);
  return free;
}

bool VersionHolds::keep_superseded(const ObjectPtr& version) {
  const std::lock_guard lock{mutex_};
  const auto same = [&version](const ObjectPtr& other) { return other->hash() == version->hash(); };
  const bool listed = std::any_of(superseded_.begin(), superseded_.end(), same);
  if (!listed)
    superseded_.push_back(version);
  superseded_count_.store(superseded_.size(), std::memory_order_seq_cst);
  if (held(*version))
    return true;
  std::erase_if(superseded_, same);
  superseded_count_.store(superseded_.size(), std::memory_order_seq_cst);
  return false;
}

void VersionHolds::reinstate(const Object& version) {
  if (superseded_count_.load(std::memory_order_seq_cst) == 0)
    return;
  const std::lock_guard lock{mutex_};
  std::erase_if(superseded_,
                [&version](const ObjectPtr& other) { return other->hash() == version.hash(); });
  superseded_count_.store(superseded_.size(), std::memory_order_seq_cst);
}

}  // namespace forebay::cache
