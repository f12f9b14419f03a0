#pragma once
// Which versions somebody is reading, so that an overwrite does not take their blocks away.
#include <forebay/cache/identity.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace forebay::cache {

/// Counts readers by the hash of the version, in a fixed number of counters: a hold is one atomic
/// addition, whichever instance of the object it names. Two versions may share a counter; then one
/// is kept until the readers of both have gone. Any thread.
class VersionHolds {
 public:
  void hold(const Object& version);
  /// The superseded versions that nobody holds any more: the caller frees their blocks.
  std::vector<ObjectPtr> release(const Object& version);
  bool held(const Object& version) const {
    return counter(version).load(std::memory_order_seq_cst) != 0;
  }

  /// False where nobody holds the version, whose blocks the caller then frees; else some release()
  /// will return it.
  bool keep_superseded(const ObjectPtr& version);
  /// The version is the current one again.
  void reinstate(const Object& version);

 private:
  static constexpr std::size_t kCounters = 4096;

  std::atomic<std::uint32_t>& counter(const Object& version) {
    return counters_[version.hash().low % kCounters];
  }
  const std::atomic<std::uint32_t>& counter(const Object& version) const {
    return counters_[version.hash().low % kCounters];
  }
  std::vector<ObjectPtr> take_free();

  std::array<std::atomic<std::uint32_t>, kCounters> counters_{};
  std::atomic<std::size_t> superseded_count_{0};
  std::mutex mutex_;
  std::vector<ObjectPtr> superseded_;  ///< Guarded by mutex_. Each has a block and a reader.
};

}  // namespace forebay::cache
