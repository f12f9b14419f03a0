#include "cache/lru.hpp"

#include <forebay/base/assert.hpp>

namespace forebay::cache {

// The sentinel stands behind the coldest slot and before the warmest; seen from outside it reads
// kNone.

Lru::Lru(std::uint32_t slots) : links_(slots + 1), sentinel_{slots} {
  links_[sentinel_] = {sentinel_, sentinel_};
}

void Lru::link_after(std::uint32_t slot, std::uint32_t previous) {
  const std::uint32_t next = links_[previous].next;
  links_[slot] = {previous, next};
  links_[previous].next = slot;
  links_[next].previous = slot;
  ++size_;
}

void Lru::touch(std::uint32_t slot) {
  remove(slot);
  link_after(slot, sentinel_);
}

void Lru::insert_cold(std::uint32_t slot) {
  ASSERT(!contains(slot));
  link_after(slot, links_[sentinel_].previous);
}

void Lru::remove(std::uint32_t slot) {
  if (!contains(slot))
    return;
  const Link link = links_[slot];
  links_[link.previous].next = link.next;
  links_[link.next].previous = link.previous;
  links_[slot] = {};
  --size_;
}

std::uint32_t Lru::coldest() const {
  return outside(links_[sentinel_].previous);
}

std::uint32_t Lru::warmer(std::uint32_t slot) const {
  return outside(links_[slot].previous);
}

}  // namespace forebay::cache
