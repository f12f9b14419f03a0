// What a start finds on a slab. A node serves meanwhile: slots come into use as they are scanned.
#include "cache/slab.hpp"

#include <forebay/base/errc.hpp>

#include <algorithm>
#include <memory>
#include <utility>

namespace forebay::cache {
namespace {

/// Slots whose place in the LRU is set under one hold of the mutex.
constexpr std::size_t kSeedBatch = 4096;

/// Space for one header, aligned for O_DIRECT.
struct alignas(kHeaderSize) HeaderSpace {
  std::array<std::byte, kHeaderSize> bytes;
};

}  // namespace

Task<void> Slab::scan(const RecoveryContext& context, std::uint32_t first, std::uint32_t step) {
  const auto space = std::make_unique<HeaderSpace>();
  // In 64 bits: the last step may go past the end of 32.
  for (std::uint64_t at = first; at < slot_count_ && !context.stop && !failed(); at += step) {
    const auto slot = static_cast<std::uint32_t>(at);
    std::vector<iovec> parts;
    parts.push_back({space->bytes.data(), kHeaderSize});
    const Result<void> read =
        co_await transfer(Direction::read, slot_offset(slot), std::move(parts), nullptr);
    scanned_.fetch_add(1);
    // What cannot be read stays unscanned: it is not written to either.
    if (!read)
      continue;
    Result<SlotHeader> header = decode_slot(space->bytes, uuid_, slot);
    if (!header) {
      const std::lock_guard lock{mutex_};
      free_slot(slot);
      continue;
    }
    const StoredBlock stored = adopt(context.index, slot, std::move(header).value());
    show_found(context.index, stored);
    if (context.purged.matches(stored.object->identity())) {
      context.index.erase(stored);
      doom(stored);
    }
  }
}

/// A slot whose header is whole becomes live. The pages are checked when they are read.
StoredBlock Slab::adopt(BlockIndex& index, std::uint32_t number, SlotHeader header) {
  StoredBlock stored;
  stored.object = index.canonical(std::move(header.identity));
  stored.block = header.block;
  stored.device = number_;
  stored.slot = number;
  stored.sequence = header.sequence;
  stored.checksums = header.checksums;
  const std::lock_guard lock{mutex_};
  Slot& slot = slots_[number];
  slot.state = State::live;
  slot.found_by_scan = true;
  slot.object = stored.object;
  slot.block = stored.block;
  slot.sequence = stored.sequence;
  next_sequence_ = std::max(next_sequence_, stored.sequence + 1);
  add_live(1);
  return stored;
}

/// Of two slots of this slab that hold the same block, the one written last stays.
void Slab::show_found(BlockIndex& index, const StoredBlock& stored) {
  const auto present = index.find(*stored.object, stored.block);
  const bool older = present && present->device == number_ && present->sequence < stored.sequence;
  if (older && index.erase(*present))
    release(*present);
  if (index.insert(stored))
    enter_found(stored);
  else
    release(stored);
}

void Slab::seed_lru() {
  std::vector<std::pair<std::uint64_t, std::uint32_t>> found;
  {
    const std::lock_guard lock{mutex_};
    for (std::uint32_t slot = 0; slot < slot_count_; ++slot) {
      if (slots_[slot].state == State::live && slots_[slot].found_by_scan)
        found.emplace_back(slots_[slot].sequence, slot);
    }
  }
  std::sort(found.begin(), found.end(), std::greater<>{});
  for (std::size_t begin = 0; begin < found.size(); begin += kSeedBatch) {
    const std::size_t end = std::min(begin + kSeedBatch, found.size());
    const std::lock_guard lock{mutex_};
    for (std::size_t i = begin; i < end; ++i) {
      const auto [sequence, slot] = found[i];
      if (!slots_[slot].found_by_scan || slots_[slot].sequence != sequence)
        continue;
      order_.remove(slot);
      order_.enter_found(slot);
    }
  }
}

}  // namespace forebay::cache
