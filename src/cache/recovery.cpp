// What a start finds on a slab. A node serves meanwhile: slots come into use as they are scanned.
#include "cache/slab.hpp"

#include <forebay/base/errc.hpp>

#include <algorithm>
#include <memory>
#include <utility>

namespace forebay::cache {
namespace {

/// Space for one header, aligned for O_DIRECT.
struct alignas(kHeaderSize) HeaderSpace {
  std::array<std::byte, kHeaderSize> bytes;
};

}  // namespace

Task<void> Slab::scan(BlockIndex& index, std::uint32_t first, std::uint32_t step,
                      const std::atomic<bool>& stop) {
  const auto space = std::make_unique<HeaderSpace>();
  const iovec part{space->bytes.data(), kHeaderSize};
  for (std::uint32_t slot = first; slot < slot_count_ && !stop && !failed(); slot += step) {
    std::vector<iovec> parts{part};
    const Result<void> read = co_await device_->read(slot_offset(slot), std::move(parts));
    note_result(read.has_value());
    if (read)
      adopt(index, slot, decode_slot(space->bytes, uuid_, slot));
    scanned_.fetch_add(1);
  }
}

/// A slot whose header is whole becomes live and is shown in the index; any other is free. The
/// pages are checked when they are read.
void Slab::adopt(BlockIndex& index, std::uint32_t number, Result<SlotHeader> header) {
  if (!header) {
    const std::lock_guard lock{mutex_};
    free_slot(number);
    return;
  }
  StoredBlock stored;
  stored.object = index.canonical(std::move(header.value().identity));
  stored.block = header.value().block;
  stored.device = number_;
  stored.slot = number;
  stored.checksums = header.value().checksums;
  {
    const std::lock_guard lock{mutex_};
    Slot& slot = slots_[number];
    slot.state = State::live;
    slot.found_by_scan = true;
    slot.object = stored.object;
    slot.block = stored.block;
    slot.sequence = header.value().sequence;
    ++live_;
    lru_.insert_cold(number);
  }
  // Twice the same block is twice the same bytes: whichever is shown first may stay.
  if (!index.insert(std::move(stored)))
    release(number);
}

void Slab::seed_lru() {
  std::vector<std::pair<std::uint64_t, std::uint32_t>> found;
  const std::lock_guard lock{mutex_};
  for (std::uint32_t slot = 0; slot < slot_count_; ++slot) {
    if (slots_[slot].state == State::live && slots_[slot].found_by_scan)
      found.emplace_back(slots_[slot].sequence, slot);
  }
  std::sort(found.begin(), found.end(), std::greater<>{});
  for (const auto& [sequence, slot] : found) {
    lru_.remove(slot);
    lru_.insert_cold(slot);
  }
}

}  // namespace forebay::cache
