#pragma once
// In which order the blocks of a slab give way, and what those that nobody has read yet may take.
// Pure; guarded by its slab.
#include "cache/lru.hpp"

#include <forebay/base/units.hpp>
#include <forebay/cache/disk_store.hpp>

#include <chrono>
#include <cstdint>
#include <vector>

namespace forebay::cache {

/// All blocks are in one LRU; a block that was pre-staged enters it as if it had been read when it
/// came. Until it is read it is also counted against a share of the slots, and it takes the place
/// only of what was not used for a while: of any such block while the share lasts, then of the
/// oldest of its own kind.
class SlotOrder {
 public:
  struct Limits {
    std::uint32_t unread_max = 0;
    milliseconds unused_for{0};  ///< What gives way to pre-staged blocks was not used for so long.
  };

  SlotOrder(std::uint32_t slots, Limits limits, TimePoint now);

  bool contains(std::uint32_t slot) const { return used_.contains(slot); }
  /// A block is written to the slot, and counted from now on.
  void begin(std::uint32_t slot, Placement placement);
  /// It may give way from now on.
  void enter(std::uint32_t slot, Placement placement, TimePoint now);
  /// It was there before this start: the next victim, behind all others.
  void enter_found(std::uint32_t slot);
  /// It is read.
  void touch(std::uint32_t slot, TimePoint now);
  /// Nothing where the slot is unknown.
  void remove(std::uint32_t slot);

  /// Whether a block of that kind must take the place of one of its own.
  bool share_is_spent(Placement placement) const {
    return placement == Placement::cold && unread_.size() >= limits_.unread_max;
  }
  /// Those that may give way to such a block, coldest first, as far as may_give_way() says so.
  const Lru& victims(Placement placement) const {
    return share_is_spent(placement) ? unread_ : used_;
  }
  bool may_give_way(std::uint32_t slot, Placement placement, TimePoint now) const;
  /// How many pre-staged blocks, at most `wanted`, the share has room for.
  std::uint32_t room_unread(std::uint32_t wanted, TimePoint now) const;

 private:
  std::uint32_t tick(TimePoint now) const;

  Limits limits_;
  TimePoint start_;
  Lru used_;
  Lru unread_;                        ///< In the order in which they were begun.
  std::vector<std::uint32_t> ticks_;  ///< When each was used last, in seconds; 0: before the start.
};

}  // namespace forebay::cache
