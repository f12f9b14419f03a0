#include "cache/slab.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/base/errc.hpp>
#include <forebay/base/log.hpp>

#include <algorithm>
#include <limits>
#include <new>
#include <random>
#include <utility>

namespace forebay::cache {
namespace {

/// Pinned slots that are passed over in the search for a victim.
constexpr int kVictimsTried = 64;

SlotOrder::Limits order_limits(const Slab::Options& options, std::uint32_t slots) {
  const double share = options.prestage_max_share;
  const auto unread_max = static_cast<std::uint32_t>(share * slots);
  return {.unread_max = share > 0 ? std::max(unread_max, 1U) : 0,
          .unused_for = options.prestage_evict_older_than};
}

SlabUuid new_uuid() {
  std::random_device device;
  SlabUuid uuid;
  std::generate(uuid.begin(), uuid.end(),
                [&device] { return static_cast<std::uint8_t>(device()); });
  return uuid;
}

/// Why the superblock that is there cannot be used, or nothing.
std::optional<std::string> mismatch(const Result<Superblock>& found, std::uint64_t size_bytes) {
  if (!found)
    return found.error() == Errc::invalid_config
               ? "its format or its constants are not this version's"
               : "it holds no valid superblock";
  if (found.value().size_bytes != size_bytes)
    return "it was made for " + format_size(found.value().size_bytes) + ", and is configured as " +
           format_size(size_bytes);
  return std::nullopt;
}

constexpr std::align_val_t kHeaderAlignment{kHeaderSize};

}  // namespace

HeaderBuffer::HeaderBuffer()
    : data_{static_cast<std::byte*>(::operator new(kHeaderSize, kHeaderAlignment))} {
  std::fill_n(data_.get(), kHeaderSize, std::byte{0});
}

void HeaderBuffer::Free::operator()(std::byte* data) const {
  ::operator delete(data, kHeaderAlignment);
}

Task<Result<std::unique_ptr<Slab>>> Slab::open(std::unique_ptr<io::BlockDevice> device,
                                               Options options) {
  const std::string& path = device->path();
  Superblock superblock;
  superblock.size_bytes = device->size_bytes();
  const std::uint64_t slots = superblock.slot_count();
  if (slots == 0 || slots >= std::numeric_limits<std::uint32_t>::max() - 1) {
    log::get("cache").error("{}: {} hold no usable number of slots", path,
                            format_size(superblock.size_bytes));
    co_return Errc::invalid_config;
  }
  HeaderBuffer buffer;
  CO_TRY(co_await device->read(0, buffer.parts()));
  const auto found = decode_superblock(buffer.bytes());
  const auto why = mismatch(found, device->size_bytes());
  if (!why)
    co_return std::unique_ptr<Slab>{new Slab{std::move(device), options, found.value(), false}};
  const bool empty = !found && found.error() == Errc::not_found;
  if (!empty && options.is_raw) {
    log::get("cache").error(
        "{}: {}; a raw device is not formatted over: clear its first 4 KiB to give it up", path,
        *why);
    co_return Errc::invalid_config;
  }
  if (!empty)
    log::get("cache").warn("{}: {}; starting with an empty cache", path, *why);
  superblock.uuid = new_uuid();
  encode(superblock, buffer.bytes());
  CO_TRY(co_await device->write(0, buffer.parts()));
  co_return std::unique_ptr<Slab>{new Slab{std::move(device), options, superblock, true}};
}

Slab::Metrics Slab::make_metrics(const std::string& path) {
  auto& registry = metrics::Registry::instance();
  const metrics::Labels labels{{"device", path}};
  return {registry.counter("forebay_cache_disk_reads_total", "Reads of cached pages.", labels),
          registry.counter("forebay_cache_disk_read_bytes_total", "Bytes of cached pages read.",
                           labels),
          registry.counter("forebay_cache_disk_writes_total", "Blocks written.", labels),
          registry.counter("forebay_cache_disk_written_bytes_total", "Bytes of blocks written.",
                           labels),
          registry.counter("forebay_cache_disk_evictions_total", "Blocks that gave way to others.",
                           labels),
          registry.counter("forebay_cache_disk_corrupt_total",
                           "Blocks dropped because a page did not match its checksum.", labels),
          registry.counter("forebay_cache_disk_errors_total", "Failed operations.", labels),
          registry.counter("forebay_cache_disk_stalls_total",
                           "Times that nothing ended for cache.device_stall.", labels),
          registry.gauge("forebay_cache_disk_slots", "Slots, of one block each.", labels),
          registry.gauge("forebay_cache_disk_used_slots", "Slots that hold a block.", labels),
          registry.gauge("forebay_cache_disk_readable",
                         "0: given up after repeated errors, or stalled.", labels),
          registry.gauge("forebay_cache_disk_writable",
                         "0: not readable, or the last write has failed.", labels)};
}

Slab::Slab(std::unique_ptr<io::BlockDevice> device, const Options& options,
           const Superblock& superblock, bool fresh)
    : device_{std::move(device)},
      number_{options.number},
      pool_{*options.pool},
      uuid_{superblock.uuid},
      slot_count_{static_cast<std::uint32_t>(superblock.slot_count())},
      metrics_{make_metrics(device_->path())},
      health_{options.stall},
      slots_(slot_count_),
      free_{slot_count_},
      order_{slot_count_, order_limits(options, slot_count_), Clock::now()},
      budget_{superblock.size_bytes, options.writes_per_day, Clock::now()},
      next_sequence_{options.first_sequence} {
  metrics_.slots.set(slot_count_);
  metrics_.used_slots.set(0);
  show_health();
  if (!fresh)
    return;
  // Headers of an earlier life carry another uuid: there is nothing to find.
  scanned_ = slot_count_;
  for (std::uint32_t slot = 0; slot < slot_count_; ++slot)
    free_slot(slot);
}

/// With the mutex held (or before the slab is shared).
void Slab::free_slot(std::uint32_t slot) {
  slots_[slot].state = State::free;
  slots_[slot].found_by_scan = false;
  order_.remove(slot);
  free_.touch(slot);
}

/// With the mutex held.
void Slab::add_live(int change) {
  live_ += static_cast<std::uint32_t>(change);
  metrics_.used_slots.set(live_);
}

std::uint32_t Slab::used() const {
  const std::lock_guard lock{mutex_};
  return live_;
}

double Slab::free_part() const {
  const std::lock_guard lock{mutex_};
  return static_cast<double>(free_.size()) / slot_count_;
}

/// With the mutex held.
bool Slab::takes_free_slot(Placement placement) const {
  return !free_.empty() && !order_.share_is_spent(placement);
}

/// With the mutex held: the slot whose block gives way, or Lru::kNone.
std::uint32_t Slab::victim(Placement placement, TimePoint now) const {
  const Lru& order = order_.victims(placement);
  std::uint32_t slot = order.coldest();
  for (int tried = 0; slot != Lru::kNone && slots_[slot].pins != 0; ++tried)
    slot = tried < kVictimsTried ? order.warmer(slot) : Lru::kNone;
  return slot != Lru::kNone && order_.may_give_way(slot, placement, now) ? slot : Lru::kNone;
}

Room Slab::room(Placement placement) const {
  const TimePoint now = Clock::now();
  if (!health_.may_write(now))
    return Room::no_device;
  const std::lock_guard lock{mutex_};
  if (takes_free_slot(placement))
    return Room::yes;
  if (victim(placement, now) == Lru::kNone)
    return order_.share_is_spent(placement) ? Room::share_spent : Room::recently_used;
  return budget_.has(kSlotSize, now) ? Room::yes : Room::no_token;
}

std::uint32_t Slab::room_ahead(std::uint32_t wanted) const {
  const TimePoint now = Clock::now();
  if (!health_.may_write(now))
    return 0;
  const std::lock_guard lock{mutex_};
  return order_.room_unread(wanted, now);
}

/// With the mutex held.
StoredBlock Slab::stored_block(std::uint32_t slot) const {
  return {slots_[slot].object, slots_[slot].block, number_, slot, slots_[slot].sequence, {}};
}

std::optional<Slab::Reservation> Slab::reserve(Placement placement) {
  const TimePoint now = Clock::now();
  const std::lock_guard lock{mutex_};
  const bool evicts = !takes_free_slot(placement);
  const std::uint32_t slot = evicts ? victim(placement, now) : free_.coldest();
  if (slot == Lru::kNone || (evicts && !budget_.has(kSlotSize, now)) || !health_.begin_write(now))
    return std::nullopt;
  Reservation reservation;
  reservation.slot = slot;
  reservation.sequence = next_sequence_++;
  if (evicts) {
    budget_.take(kSlotSize, now);
    reservation.victim = stored_block(slot);
    order_.remove(slot);
    add_live(-1);
  } else {
    free_.remove(slot);
  }
  order_.begin(slot, placement);
  slots_[slot].state = State::writing;
  slots_[slot].found_by_scan = false;
  return reservation;
}

void Slab::commit(const StoredBlock& stored) {
  const std::lock_guard lock{mutex_};
  Slot& slot = slots_[stored.slot];
  ASSERT(slot.state == State::writing);
  slot.state = State::live;
  slot.object = stored.object;
  slot.block = stored.block;
  slot.sequence = stored.sequence;
  add_live(1);
}

void Slab::give_back(const Reservation& reservation) {
  const std::lock_guard lock{mutex_};
  if (reservation.victim) {
    order_.remove(reservation.slot);
    slots_[reservation.slot].state = State::live;
    add_live(1);
  } else {
    free_slot(reservation.slot);
  }
}

void Slab::enter(const StoredBlock& stored, Placement placement) {
  const std::lock_guard lock{mutex_};
  if (is_live(stored) && !order_.contains(stored.slot))
    order_.enter(stored.slot, placement, Clock::now());
}

void Slab::enter_found(const StoredBlock& stored) {
  const std::lock_guard lock{mutex_};
  if (is_live(stored) && !order_.contains(stored.slot))
    order_.enter_found(stored.slot);
}

/// With the mutex held.
bool Slab::is_live(const StoredBlock& stored) const {
  const Slot& slot = slots_[stored.slot];
  return slot.state == State::live && slot.sequence == stored.sequence;
}

bool Slab::pin(const StoredBlock& stored) {
  const std::lock_guard lock{mutex_};
  if (!is_live(stored))
    return false;
  Slot& slot = slots_[stored.slot];
  ++slot.pins;
  slot.found_by_scan = false;
  order_.touch(stored.slot, Clock::now());
  return true;
}

void Slab::unpin(std::uint32_t slot) {
  const std::lock_guard lock{mutex_};
  if (--slots_[slot].pins == 0 && slots_[slot].state == State::released)
    free_slot(slot);
}

void Slab::touch(const StoredBlock& stored) {
  const std::lock_guard lock{mutex_};
  if (!is_live(stored))
    return;
  slots_[stored.slot].found_by_scan = false;
  order_.touch(stored.slot, Clock::now());
}

void Slab::release(const StoredBlock& stored) {
  const std::lock_guard lock{mutex_};
  if (!is_live(stored))
    return;
  Slot& slot = slots_[stored.slot];
  order_.remove(stored.slot);
  add_live(-1);
  slot.state = State::released;
  if (slot.pins == 0)
    free_slot(stored.slot);
}

std::vector<StoredBlock> Slab::live_blocks(std::uint32_t first, std::uint32_t count) const {
  std::vector<StoredBlock> blocks;
  const std::lock_guard lock{mutex_};
  const std::uint32_t end = first + std::min(count, slot_count_ - first);
  for (std::uint32_t slot = first; slot < end; ++slot) {
    if (slots_[slot].state == State::live)
      blocks.push_back(stored_block(slot));
  }
  return blocks;
}

}  // namespace forebay::cache
