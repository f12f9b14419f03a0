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

/// An aligned header, for O_DIRECT.
class HeaderBuffer {
 public:
  HeaderBuffer() : data_{static_cast<std::byte*>(::operator new(kHeaderSize, kAlignment))} {
    std::fill_n(data_.get(), kHeaderSize, std::byte{0});
  }
  HeaderBytes bytes() { return HeaderBytes{data_.get(), kHeaderSize}; }
  std::vector<iovec> parts() { return {{data_.get(), kHeaderSize}}; }

 private:
  static constexpr std::align_val_t kAlignment{kHeaderSize};
  struct Free {
    void operator()(std::byte* data) const { ::operator delete(data, kAlignment); }
  };
  std::unique_ptr<std::byte, Free> data_;
};

/// The pages as one run on the device; the last is read and written up to the next aligned byte.
void append_pages(std::vector<iovec>& parts, const std::vector<io::PageRef>& pages,
                  std::uint64_t valid_bytes) {
  std::uint64_t left = align_up(valid_bytes, io::kDeviceAlignment);
  for (const io::PageRef& page : pages) {
    const std::uint64_t size = std::min(left, kPageSize);
    parts.push_back({page.data(), size});
    left -= size;
  }
  ASSERT(left == 0);
}

/// What follows the last valid byte in its frame may be another object's.
void clear_tail(const std::vector<io::PageRef>& pages, std::uint32_t length) {
  const std::size_t tail = length % kPageSize;
  if (tail == 0)
    return;
  std::byte* page = pages.back().data();
  std::fill(page + tail, page + align_up(tail, io::kDeviceAlignment), std::byte{0});
}

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

}  // namespace

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
  return {
      registry.counter("forebay_cache_disk_reads_total", "Reads of cached pages.", labels),
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
      registry.gauge("forebay_cache_disk_slots", "Slots, of one block each.", labels),
      registry.gauge("forebay_cache_disk_used_slots", "Slots that hold a block.", labels),
      registry.gauge("forebay_cache_disk_failed", "1: given up after repeated errors.", labels)};
}

Slab::Slab(std::unique_ptr<io::BlockDevice> device, const Options& options,
           const Superblock& superblock, bool fresh)
    : device_{std::move(device)},
      number_{options.number},
      uuid_{superblock.uuid},
      slot_count_{static_cast<std::uint32_t>(superblock.slot_count())},
      metrics_{make_metrics(device_->path())},
      slots_(slot_count_),
      order_{slot_count_, order_limits(options, slot_count_), Clock::now()},
      budget_{superblock.size_bytes, options.writes_per_day, Clock::now()},
      next_sequence_{options.first_sequence} {
  metrics_.slots.set(slot_count_);
  metrics_.used_slots.set(0);
  metrics_.failed.set(0);
  free_.reserve(slot_count_);
  if (!fresh)
    return;
  // Headers of an earlier life carry another uuid: there is nothing to find.
  scanned_ = slot_count_;
  for (std::uint32_t slot = slot_count_; slot > 0; --slot)
    free_slot(slot - 1);
}

/// With the mutex held (or before the slab is shared).
void Slab::free_slot(std::uint32_t slot) {
  slots_[slot].state = State::free;
  slots_[slot].found_by_scan = false;
  order_.remove(slot);
  free_.push_back(slot);
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
  if (!health_.usable(now))
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
  if (!health_.usable(now))
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
  if (!health_.usable(now))
    return std::nullopt;
  const std::lock_guard lock{mutex_};
  Reservation reservation;
  if (takes_free_slot(placement)) {
    reservation.slot = free_.back();
    free_.pop_back();
  } else {
    const std::uint32_t slot = victim(placement, now);
    if (slot == Lru::kNone || !budget_.take(kSlotSize, now))
      return std::nullopt;
    reservation.slot = slot;
    reservation.victim = stored_block(slot);
    order_.remove(slot);
    add_live(-1);
    metrics_.evictions.add();
  }
  reservation.sequence = next_sequence_++;
  order_.begin(reservation.slot, placement);
  slots_[reservation.slot].state = State::writing;
  slots_[reservation.slot].found_by_scan = false;
  return reservation;
}

/// Every operation on slots goes through here: it is what the device is judged by.
Task<Result<void>> Slab::transfer(bool is_write, std::uint64_t offset, std::vector<iovec> parts) {
  health_.began(Clock::now());
  Result<void> result = success();
  if (is_write)
    result = co_await device_->write(offset, std::move(parts));
  else
    result = co_await device_->read(offset, std::move(parts));
  if (!result)
    metrics_.errors.add();
  if (health_.ended(result.has_value(), Clock::now())) {
    metrics_.failed.set(1);
    log::get("cache").error(
        "{}: {} operations in a row failed: the device is not used any more, reads go to the "
        "origin",
        path(), DeviceHealth::kErrorsMax);
  }
  co_return result;
}

Task<Result<void>> Slab::write(const Reservation& reservation, ObjectPtr object,
                               std::uint32_t block, std::vector<io::PageRef> pages,
                               PageChecksums checksums) {
  const std::uint32_t slot = reservation.slot;
  SlotHeader header;
  header.slab = uuid_;
  header.slot = slot;
  header.sequence = reservation.sequence;
  header.identity = object->identity();
  header.block = block;
  header.length = object->block_length(block);
  header.checksums = checksums;
  HeaderBuffer buffer;
  if (const Result<void> encoded = encode(header, buffer.bytes()); !encoded) {
    const std::lock_guard lock{mutex_};
    free_slot(slot);
    co_return encoded.error();
  }
  clear_tail(pages, header.length);
  std::vector<iovec> parts = buffer.parts();
  append_pages(parts, pages, header.length);
  const Result<void> written = co_await transfer(true, slot_offset(slot), std::move(parts));
  if (written) {
    metrics_.writes.add();
    metrics_.written_bytes.add(header.length);
    co_return success();
  }
  const std::lock_guard lock{mutex_};
  slots_[slot].state = State::retired;
  order_.remove(slot);
  co_return written.error();
}

void Slab::commit(const StoredBlock& stored, Placement placement) {
  const std::lock_guard lock{mutex_};
  Slot& slot = slots_[stored.slot];
  ASSERT(slot.state == State::writing);
  slot.state = State::live;
  slot.object = stored.object;
  slot.block = stored.block;
  slot.sequence = stored.sequence;
  add_live(1);
  order_.enter(stored.slot, placement, Clock::now());
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
  release_locked(stored);
}

void Slab::release_locked(const StoredBlock& stored) {
  if (!is_live(stored))
    return;
  Slot& slot = slots_[stored.slot];
  order_.remove(stored.slot);
  add_live(-1);
  slot.state = State::released;
  if (slot.pins == 0)
    free_slot(stored.slot);
}

/// Whatever becomes of the slot's block, the slot stays out of use until it is unpinned.
bool Slab::pin_for_erasure(const StoredBlock& stored) {
  const std::lock_guard lock{mutex_};
  Slot& slot = slots_[stored.slot];
  if (slot.object == nullptr || slot.sequence != stored.sequence)
    return false;
  release_locked(stored);
  if (slot.state == State::free) {
    std::erase(free_, stored.slot);
    slot.state = State::released;
  }
  if (slot.state != State::released)
    return false;
  ++slot.pins;
  return true;
}

Task<void> Slab::erase(const StoredBlock& stored) {
  if (!pin_for_erasure(stored))
    co_return;
  HeaderBuffer zeros;
  const Result<void> erased = co_await transfer(true, slot_offset(stored.slot), zeros.parts());
  if (erased) {
    const std::lock_guard lock{mutex_};
    slots_[stored.slot].object.reset();
  } else {
    log::get("cache").error("{}: the header of slot {} could not be erased: a restart may find it",
                            path(), stored.slot);
  }
  unpin(stored.slot);
}

std::vector<StoredBlock> Slab::leftovers(std::string_view bucket, std::string_view prefix) const {
  std::vector<StoredBlock> blocks;
  const std::lock_guard lock{mutex_};
  for (std::uint32_t slot = 0; slot < slot_count_; ++slot) {
    const Slot& s = slots_[slot];
    if (s.object == nullptr || (s.state != State::free && s.state != State::released))
      continue;
    const Identity& identity = s.object->identity();
    if (identity.bucket == bucket && identity.key.starts_with(prefix))
      blocks.push_back(stored_block(slot));
  }
  return blocks;
}

Result<void> Slab::verify(const StoredBlock& stored, std::uint32_t first_page,
                          const std::vector<io::PageRef>& pages) const {
  const std::uint32_t length = stored.object->block_length(stored.block);
  for (std::uint32_t i = 0; i < pages.size(); ++i) {
    const std::uint64_t start = std::uint64_t{first_page + i} * kPageSize;
    const std::uint64_t size = std::min<std::uint64_t>(kPageSize, length - start);
    if (page_checksum(pages[i].data(), size) != stored.checksums[first_page + i])
      return Errc::corrupt;
  }
  return success();
}

Task<Result<void>> Slab::read(const StoredBlock& stored, std::uint32_t first_page,
                              std::vector<io::PageRef> pages) {
  const std::uint64_t start = std::uint64_t{first_page} * kPageSize;
  const std::uint64_t length = stored.object->block_length(stored.block);
  ASSERT(!pages.empty() && start + (pages.size() - 1) * kPageSize < length);
  if (failed())
    co_return Errc::device_failed;
  if (!usable())
    co_return Errc::overloaded;
  if (!pin(stored))
    co_return Errc::not_found;
  const std::uint64_t bytes = std::min<std::uint64_t>(length - start, pages.size() * kPageSize);
  std::vector<iovec> parts;
  append_pages(parts, pages, bytes);
  metrics_.reads.add();
  Result<void> result =
      co_await transfer(false, slot_offset(stored.slot) + kHeaderSize + start, std::move(parts));
  if (result) {
    metrics_.read_bytes.add(bytes);
    result = verify(stored, first_page, pages);
    if (!result) {
      metrics_.corrupt.add();
      log::get("cache").warn("{}: slot {} of {:?}/{:?} does not match its checksums: dropped",
                             path(), stored.slot, stored.object->identity().bucket,
                             stored.object->identity().key);
    }
  }
  unpin(stored.slot);
  co_return result;
}

std::vector<StoredBlock> Slab::live_blocks() const {
  std::vector<StoredBlock> blocks;
  const std::lock_guard lock{mutex_};
  blocks.reserve(live_);
  for (std::uint32_t slot = 0; slot < slot_count_; ++slot) {
    if (slots_[slot].state == State::live)
      blocks.push_back(stored_block(slot));
  }
  return blocks;
}

}  // namespace forebay::cache
