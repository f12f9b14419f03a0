#pragma once
// File descriptors as a resource that runs out.
#include <cstddef>
#include <mutex>
#include <vector>

namespace forebay::net {

/// Holds descriptors back while there are enough, to give them up one by one when there are not.
/// Any thread.
class DescriptorReserve {
 public:
  /// Takes `count` of them, or what there is.
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

/// The least number that a descriptor may have which leaves fewer than `spare` of the process's
/// limit free. Descriptors get the lowest free number, so that a lower one was not among the last.
int first_spare_descriptor(std::size_t spare);

/// The number that the next descriptor would get; the highest of all if none is left.
int next_descriptor();

}  // namespace forebay::net
