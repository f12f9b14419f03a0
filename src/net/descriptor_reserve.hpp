#pragma once
// File descriptors for when the process has no other left.
#include <cstddef>
#include <mutex>
#include <vector>

namespace forebay::net {

/// Holds descriptors back while there are enough, to give them up one by one when there are not.
/// Any thread.
class DescriptorReserve {
 public:
  /// Takes `count` of them, or as many as there are.
  explicit DescriptorReserve(std::size_t count);
  DescriptorReserve(const DescriptorReserve&) = delete;
  DescriptorReserve& operator=(const DescriptorReserve&) = delete;
  ~DescriptorReserve();

  /// Makes one descriptor free; false if none is held.
  bool release_one();
  /// Takes back what release_one() gave up, as far as there are any free.
  void refill();

 private:
  const std::size_t count_;
  std::mutex mutex_;
  std::vector<int> held_;  ///< Guarded by mutex_.
};

}  // namespace forebay::net
