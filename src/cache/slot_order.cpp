#include "cache/slot_order.hpp"

#include <algorithm>

namespace forebay::cache {

SlotOrder::SlotOrder(std::uint32_t slots, Limits limits, TimePoint now)
    : limits_{limits}, start_{now}, used_{slots}, unread_{slots}, ticks_(slots) {}

std::uint32_t SlotOrder::tick(TimePoint now) const {
  return 1 + static_cast<std::uint32_t>(
                 std::chrono::duration_cast<std::chrono::seconds>(now - start_).count());
}

void SlotOrder::begin(std::uint32_t slot, Placement placement) {
  if (placement == Placement::cold)
    unread_.touch(slot);
}

void SlotOrder::enter(std::uint32_t slot, Placement placement, TimePoint now) {
  if (placement == Placement::hot)
    unread_.remove(slot);
  used_.touch(slot);
  ticks_[slot] = tick(now);
}

void SlotOrder::enter_found(std::uint32_t slot) {
  used_.insert_cold(slot);
  ticks_[slot] = 0;
}

void SlotOrder::touch(std::uint32_t slot, TimePoint now) {
  enter(slot, Placement::hot, now);
}

void SlotOrder::remove(std::uint32_t slot) {
  used_.remove(slot);
  unread_.remove(slot);
}

bool SlotOrder::may_give_way(std::uint32_t slot, Placement placement, TimePoint now) const {
  if (!used_.contains(slot))
    return false;
  if (placement == Placement::hot || ticks_[slot] == 0)
    return true;
  return std::chrono::seconds{tick(now) - ticks_[slot]} >= limits_.unused_for;
}

std::uint32_t SlotOrder::room_unread(std::uint32_t wanted, TimePoint now) const {
  std::uint32_t room = limits_.unread_max - std::min(limits_.unread_max, unread_.size());
  for (std::uint32_t slot = unread_.coldest();
       room < wanted && slot != Lru::kNone && may_give_way(slot, Placement::cold, now);
       slot = unread_.warmer(slot))
    ++room;
  return std::min(room, wanted);
}

}  // namespace forebay::cache
