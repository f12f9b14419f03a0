#pragma once
// The order in which slots of a slab were last used. Pure; guarded by its slab.
#include <cstdint>
#include <vector>

namespace forebay::cache {

/// An intrusive list over slot numbers: every operation is a few stores. A slot is in it at most
/// once.
class Lru {
 public:
  static constexpr std::uint32_t kNone = ~0U;

  explicit Lru(std::uint32_t slots);

  bool contains(std::uint32_t slot) const { return links_[slot].previous != kAbsent; }
  /// As the most recently used; moves it where it is in the list already.
  void touch(std::uint32_t slot);
  /// As the next victim.
  void insert_cold(std::uint32_t slot);
  /// Nothing where it is not in the list.
  void remove(std::uint32_t slot);
  /// The least recently used, or kNone.
  std::uint32_t coldest() const;
  /// The next warmer one, or kNone.
  std::uint32_t warmer(std::uint32_t slot) const;
  bool empty() const { return size_ == 0; }
  std::uint32_t size() const { return size_; }

 private:
  static constexpr std::uint32_t kAbsent = ~0U - 1;
  struct Link {
    std::uint32_t previous = kAbsent;  ///< Toward the warm end.
    std::uint32_t next = kAbsent;      ///< Toward the cold end.
  };

  std::uint32_t outside(std::uint32_t slot) const { return slot == sentinel_ ? kNone : slot; }
  void link_after(std::uint32_t slot, std::uint32_t previous);

  std::vector<Link> links_;  ///< One for each slot, and the sentinel.
  std::uint32_t sentinel_;
  std::uint32_t size_ = 0;
};

}  // namespace forebay::cache
