#include "cache/slab.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/base/errc.hpp>
#include <forebay/base/log.hpp>

#include <algorithm>
#include <new>
#include <random>
#include <utility>

namespace forebay::cache {
namespace {

/// Errors in a row that condemn a device.
constexpr std::uint32_t kErrorsMax = 8;
/// Pinned slots that are passed over in the search for a victim.
constexpr int kVictimsTried = 64;
/// Sequence numbers that one start may use: the floor moves by this, so that every start is above
/// all before it.
constexpr std::uint64_t kSequencesPerStart = std::uint64_t{1} << 40;

/// An aligned header, for O_DIRECT.
class HeaderBuffer {
 public:
  HeaderBuffer() : data_{static_cast<std::byte*>(::operator new(kHeaderSize, kAlignment))} {
    std::fill_n(data_.get(), kHeaderSize, std::byte{0});
  }
  HeaderBytes bytes() { return HeaderBytes{data_.get(), kHeaderSize}; }
  iovec part() { return {data_.get(), kHeaderSize}; }

 private:
  static constexpr std::align_val_t kAlignment{kHeaderSize};
  struct Free {
    void operator()(std::byte* data) const { ::operator delete(data, kAlignment); }
  };
  std::unique_ptr<std::byte, Free> data_;
};

/// The pages as one run on the device; the last is read and written up to the next aligned byte.
std::vector<iovec> page_parts(const std::vector<io::PageRef>& pages, std::uint32_t valid_bytes) {
  std::vector<iovec> parts;
  std::uint64_t left = align_up(valid_bytes, io::kDeviceAlignment);
  for (const io::PageRef& page : pages) {
    const std::uint64_t size = std::min<std::uint64_t>(left, kPageSize);
    parts.push_back({page.data(), size});
    left -= size;
  }
  return parts;
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

Task<Result<std::unique_ptr<Slab>>> Slab::open(std::unique_ptr<io::BlockDevice> device, bool is_raw,
                                               std::uint32_t number, double writes_per_day) {
  HeaderBuffer buffer;
  CO_TRY(co_await device->read(0, {buffer.part()}));
  const auto found = decode_superblock(buffer.bytes());
  const bool empty = !found && found.error() == Errc::not_found;
  const auto why = mismatch(found, device->size_bytes());
  Superblock superblock;
  if (why && !empty && is_raw) {
    log::get("cache").error(
        "{}: {}; a raw device is not formatted over: clear its first 4 KiB to give it up",
        device->path(), *why);
    co_return Errc::invalid_config;
  }
  if (why) {
    if (!empty)
      log::get("cache").warn("{}: {}; starting with an empty cache", device->path(), *why);
    superblock.uuid = new_uuid();
    superblock.size_bytes = device->size_bytes();
  } else {
    superblock = found.value();
  }
  Superblock next = superblock;
  next.sequence_floor += kSequencesPerStart;
  encode(next, buffer.bytes());
  CO_TRY(co_await device->write(0, {buffer.part()}));
  co_return std::unique_ptr<Slab>{
      new Slab{std::move(device), number, superblock, writes_per_day, why.has_value()}};
}

Slab::Slab(std::unique_ptr<io::BlockDevice> device, std::uint32_t number,
           const Superblock& superblock, double writes_per_day, bool fresh)
    : device_{std::move(device)},
      number_{number},
      uuid_{superblock.uuid},
      slot_count_{static_cast<std::uint32_t>(superblock.slot_count())},
      metrics_{[this]() -> Metrics {
        auto& registry = metrics::Registry::instance();
        const metrics::Labels labels{{"device", device_->path()}};
        return {
            registry.counter("forebay_cache_disk_reads_total", "Reads of cached pages.", labels),
            registry.counter("forebay_cache_disk_writes_total", "Blocks written.", labels),
            registry.counter("forebay_cache_disk_evictions_total",
                             "Blocks that gave way to others.", labels),
            registry.counter("forebay_cache_disk_corrupt_total",
                             "Blocks dropped because a page did not match its checksum.", labels),
            registry.counter("forebay_cache_disk_errors_total", "Failed operations.", labels)};
      }()},
      slots_(slot_count_),
      lru_{slot_count_},
      budget_{superblock.size_bytes, writes_per_day, Clock::now()},
      next_sequence_{superblock.sequence_floor} {
  if (!fresh)
    return;
  // Headers of an earlier format carry another uuid: there is nothing to find.
  scanned_ = slot_count_;
  for (std::uint32_t slot = slot_count_; slot > 0; --slot)
    free_slot(slot - 1);
}

/// With the mutex held (or before the slab is shared).
void Slab::free_slot(std::uint32_t slot) {
  slots_[slot].state = State::free;
  slots_[slot].object.reset();
  slots_[slot].found_by_scan = false;
  free_.push_back(slot);
}

std::uint32_t Slab::used() const {
  const std::lock_guard lock{mutex_};
  return live_;
}

std::uint32_t Slab::free_count() const {
  const std::lock_guard lock{mutex_};
  return static_cast<std::uint32_t>(free_.size());
}

bool Slab::may_overwrite() const {
  const std::lock_guard lock{mutex_};
  return !lru_.empty() && budget_.has(kSlotSize, Clock::now());
}

std::optional<Slab::Reservation> Slab::reserve() {
  const std::lock_guard lock{mutex_};
  Reservation reservation;
  if (!free_.empty()) {
    reservation.slot = free_.back();
    free_.pop_back();
  } else {
    std::uint32_t victim = lru_.coldest();
    for (int tried = 0; victim != Lru::kNone && slots_[victim].pins != 0; ++tried)
      victim = tried < kVictimsTried ? lru_.warmer(victim) : Lru::kNone;
    if (victim == Lru::kNone || !budget_.take(kSlotSize, Clock::now()))
      return std::nullopt;
    Slot& slot = slots_[victim];
    reservation.slot = victim;
    reservation.victim.emplace(std::exchange(slot.object, nullptr), slot.block);
    lru_.remove(victim);
    --live_;
    metrics_.evictions.add();
  }
  slots_[reservation.slot].state = State::writing;
  slots_[reservation.slot].found_by_scan = false;
  reservation.sequence = next_sequence_++;
  return reservation;
}

Task<Result<void>> Slab::write(const Reservation& reservation, ObjectPtr object,
                               std::uint32_t block, std::vector<io::PageRef> pages,
                               PageChecksums checksums) {
  SlotHeader header;
  header.slab = uuid_;
  header.slot = reservation.slot;
  header.sequence = reservation.sequence;
  header.identity = object->identity();
  header.block = block;
  header.length = object->block_length(block);
  header.checksums = checksums;
  HeaderBuffer buffer;
  Result<void> result = encode(header, buffer.bytes());
  if (result) {
    // What follows the last valid byte in its frame may be another object's.
    const std::size_t tail = header.length % kPageSize;
    if (tail != 0)
      std::fill(pages.back().data() + tail,
                pages.back().data() + align_up(tail, io::kDeviceAlignment), std::byte{0});
    std::vector<iovec> parts = page_parts(pages, header.length);
    parts.insert(parts.begin(), buffer.part());
    result = co_await device_->write(slot_offset(reservation.slot), std::move(parts));
    note_result(result.has_value());
  }
  if (result) {
    metrics_.writes.add();
    co_return result;
  }
  const std::lock_guard lock{mutex_};
  free_slot(reservation.slot);
  co_return result;
}

void Slab::commit(const Reservation& reservation, ObjectPtr object, std::uint32_t block,
                  Placement placement) {
  const std::lock_guard lock{mutex_};
  Slot& slot = slots_[reservation.slot];
  ASSERT(slot.state == State::writing);
  slot.state = State::live;
  slot.object = std::move(object);
  slot.block = block;
  slot.sequence = reservation.sequence;
  ++live_;
  if (placement == Placement::hot)
    lru_.touch(reservation.slot);
  else
    lru_.insert_cold(reservation.slot);
}

bool Slab::pin(const StoredBlock& stored) {
  const std::lock_guard lock{mutex_};
  Slot& slot = slots_[stored.slot];
  if (slot.state != State::live || slot.block != stored.block ||
      slot.object->hash() != stored.object->hash())
    return false;
  ++slot.pins;
  slot.found_by_scan = false;
  lru_.touch(stored.slot);
  return true;
}

void Slab::unpin(std::uint32_t slot) {
  const std::lock_guard lock{mutex_};
  if (--slots_[slot].pins == 0 && slots_[slot].state == State::released)
    free_slot(slot);
}

void Slab::touch(std::uint32_t slot) {
  const std::lock_guard lock{mutex_};
  if (!lru_.contains(slot))
    return;
  slots_[slot].found_by_scan = false;
  lru_.touch(slot);
}

void Slab::release(std::uint32_t number) {
  const std::lock_guard lock{mutex_};
  Slot& slot = slots_[number];
  if (slot.state != State::live)
    return;
  lru_.remove(number);
  --live_;
  slot.state = State::released;
  if (slot.pins == 0)
    free_slot(number);
}

Task<void> Slab::erase(std::uint32_t slot) {
  HeaderBuffer zeros;
  const Result<void> written = co_await device_->write(slot_offset(slot), {zeros.part()});
  note_result(written.has_value());
  release(slot);
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
  const std::uint64_t left = stored.object->block_length(stored.block) - start;
  const auto bytes =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(left, pages.size() * kPageSize));
  if (!pin(stored))
    co_return Errc::not_found;
  metrics_.reads.add();
  std::vector<iovec> parts = page_parts(pages, bytes);
  Result<void> result =
      co_await device_->read(slot_offset(stored.slot) + kHeaderSize + start, std::move(parts));
  note_result(result.has_value());
  if (result) {
    result = verify(stored, first_page, pages);
    if (!result) {
      metrics_.corrupt.add();
      log::get("cache").warn("{}: slot {} of {}/{} does not match its checksums: dropped", path(),
                             stored.slot, stored.object->identity().bucket,
                             stored.object->identity().key);
    }
  }
  unpin(stored.slot);
  co_return result;
}

/// A device that only errs is given up: every block of it is a miss from then on.
void Slab::note_result(bool ok) {
  if (ok) {
    errors_in_a_row_ = 0;
    return;
  }
  metrics_.errors.add();
  if (++errors_in_a_row_ < kErrorsMax || failed_.exchange(true))
    return;
  log::get("cache").error(
      "{}: {} operations in a row failed: the device is not used any more, reads go to the origin",
      path(), kErrorsMax);
}

std::vector<std::pair<ObjectPtr, std::uint32_t>> Slab::live_blocks() const {
  std::vector<std::pair<ObjectPtr, std::uint32_t>> blocks;
  const std::lock_guard lock{mutex_};
  for (const Slot& slot : slots_) {
    if (slot.state == State::live)
      blocks.emplace_back(slot.object, slot.block);
  }
  return blocks;
}

}  // namespace forebay::cache
