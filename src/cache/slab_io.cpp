// What moves the bytes of a slab, and what is learnt of the device from it.
#include "cache/slab.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/base/errc.hpp>
#include <forebay/base/log.hpp>

#include <algorithm>
#include <utility>

namespace forebay::cache {
namespace {

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

}  // namespace

/// One operation under way. While it is, it looks whether the device has stalled, and wakes then
/// who waits for it. On one worker.
class Slab::Operation final : public runtime::Watchdog::Entry {
 public:
  Operation(Slab& slab, Direction direction, std::shared_ptr<runtime::Waiter> waiter)
      : slab_{slab}, direction_{direction}, waiter_{std::move(waiter)} {
    const TimePoint now = Clock::now();
    slab_.health_.began(now);
    watch(now);
  }
  void ended(bool ok) {
    runtime::Watchdog::disarm(*this);
    if (!ok)
      slab_.metrics_.errors.add();
    slab_.note(slab_.health_.ended(direction_, ok, Clock::now()));
  }

 private:
  void on_deadline() override {
    const TimePoint now = Clock::now();
    slab_.look(now);
    if (waiter_ && slab_.health_.stalled())
      waiter_->wake();
    watch(now);
  }
  void watch(TimePoint now) {
    runtime::Worker::current().watchdog().arm(*this, Deadline::at(slab_.health_.next_look(now)));
  }

  Slab& slab_;
  Direction direction_;
  std::shared_ptr<runtime::Waiter> waiter_;
};

/// A read that its task owns, and not who waits for it: frames and pin last until the device has
/// answered. One worker.
struct Slab::Reading {
  StoredBlock stored;
  std::uint32_t first_page = 0;
  io::Lease lease;
  std::shared_ptr<runtime::Waiter> waiter;  ///< Who waits; woken by the result, or a stall.
  bool abandoned = false;
  std::optional<Result<void>> result;
};

/// Every operation on slots goes through here: it is what the device is judged by.
Task<Result<void>> Slab::transfer(Direction direction, std::uint64_t offset,
                                  std::vector<iovec> parts,
                                  std::shared_ptr<runtime::Waiter> waiter) {
  Operation operation{*this, direction, std::move(waiter)};
  Result<void> result = success();
  if (direction == Direction::write)
    result = co_await device_->write(offset, std::move(parts));
  else
    result = co_await device_->read(offset, std::move(parts));
  operation.ended(result.has_value());
  co_return result;
}

void Slab::look(TimePoint now) {
  if (!health_.look(now))
    return;
  metrics_.stalls.add();
  log::get("cache").warn("{}: stalled: reads go to the origin until it answers", path());
  show_health();
  purges_.wake_all();
}

void Slab::note(const DeviceHealth::Change& change) {
  if (!change.any())
    return;
  if (change.condemned)
    log::get("cache").error(
        "{}: {} reads in a row failed: the device is not used any more, reads go to the origin",
        path(), DeviceHealth::kReadErrorsMax);
  if (change.recovered)
    log::get("cache").warn("{}: answers again", path());
  if (change.closed)
    log::get("cache").error("{}: a write failed: it keeps what it holds, and is tried again",
                            path());
  if (change.opened)
    log::get("cache").warn("{}: can be written again", path());
  show_health();
  start_erasers();
}

void Slab::show_health() {
  const std::lock_guard lock{shown_mutex_};
  metrics_.readable.set(health_.readable() ? 1 : 0);
  metrics_.writable.set(health_.writable() ? 1 : 0);
  pool_.suspend(number_, !health_.readable());
}

Task<Result<void>> Slab::write(const Reservation& reservation, const Object& object,
                               std::uint32_t block, const std::vector<io::PageRef>& pages,
                               const PageChecksums& checksums) {
  SlotHeader header;
  header.slab = uuid_;
  header.slot = reservation.slot;
  header.sequence = reservation.sequence;
  header.identity = object.identity();
  header.block = block;
  header.length = object.block_length(block);
  header.checksums = checksums;
  HeaderBuffer buffer;
  CO_TRY(encode(header, buffer.bytes()));
  clear_tail(pages, header.length);
  std::vector<iovec> parts = buffer.parts();
  append_pages(parts, pages, header.length);
  const std::uint64_t offset = slot_offset(reservation.slot);
  const Result<void> written =
      co_await transfer(Direction::write, offset, std::move(parts), nullptr);
  const std::lock_guard lock{mutex_};
  if (written) {
    attempted_.erase(reservation.slot);
    if (reservation.victim)
      metrics_.evictions.add();
    metrics_.writes.add();
    metrics_.written_bytes.add(header.length);
  } else {
    attempted_[reservation.slot] = std::make_shared<const Object>(std::move(header.identity));
  }
  co_return written;
}

Result<void> Slab::verify(const StoredBlock& stored, std::uint32_t first_page,
                          const std::vector<io::PageRef>& pages) const {
  const std::uint32_t length = stored.object->block_length(stored.block);
  for (std::uint32_t i = 0; i < pages.size(); ++i) {
    const std::uint64_t start = std::uint64_t{first_page + i} * kPageSize;
    const std::uint64_t size = std::min<std::uint64_t>(kPageSize, length - start);
    if (page_checksum(pages[i].data(), size) != stored.checksums[first_page + i]) {
      metrics_.corrupt.add();
      log::get("cache").warn("{}: slot {} of {:?}/{:?} does not match its checksums: dropped",
                             path(), stored.slot, stored.object->identity().bucket,
                             stored.object->identity().key);
      return Errc::corrupt;
    }
  }
  return success();
}

Task<void> Slab::perform(Slab* self, std::shared_ptr<Reading> reading) {
  const StoredBlock& stored = reading->stored;
  const std::vector<io::PageRef>& pages = reading->lease.pages;
  const std::uint64_t start = std::uint64_t{reading->first_page} * kPageSize;
  const std::uint64_t length = stored.object->block_length(stored.block);
  const std::uint64_t bytes = std::min<std::uint64_t>(length - start, pages.size() * kPageSize);
  std::vector<iovec> parts;
  append_pages(parts, pages, bytes);
  self->metrics_.reads.add();
  const std::uint64_t offset = slot_offset(stored.slot) + kHeaderSize + start;
  Result<void> result =
      co_await self->transfer(Direction::read, offset, std::move(parts), reading->waiter);
  if (result)
    self->metrics_.read_bytes.add(bytes);
  if (result && !reading->abandoned)
    result = self->verify(stored, reading->first_page, pages);
  self->unpin(stored.slot);
  reading->result = result;
  reading->waiter->wake();
}

Task<Result<io::Lease>> Slab::read(const StoredBlock& stored, std::uint32_t first_page,
                                   std::uint32_t count, std::optional<io::Lease> frames,
                                   Deadline deadline) {
  const std::uint64_t length = stored.object->block_length(stored.block);
  ASSERT(count != 0 && (std::uint64_t{first_page} + count - 1) * kPageSize < length);
  if (failed())
    co_return Errc::device_failed;
  auto reading = std::make_shared<Reading>();
  if (frames) {
    reading->lease = *std::move(frames);
  } else {
    CO_TRY(io::Lease lease, co_await pool_.acquire(io::Share::disk_read, count, deadline, number_));
    reading->lease = std::move(lease);
  }
  ASSERT(reading->lease.pages.size() == count);
  if (health_.stalled())
    co_return Errc::overloaded;
  if (!pin(stored))
    co_return Errc::not_found;
  reading->stored = stored;
  reading->first_page = first_page;
  reading->waiter = runtime::Waiter::create();
  runtime::Worker::current().tasks().spawn("device read", &Slab::perform, this, reading);
  co_await reading->waiter->wait(Deadline::never());
  if (!reading->result) {
    reading->abandoned = true;
    co_return Errc::overloaded;
  }
  if (!*reading->result)
    co_return reading->result->error();
  co_return std::move(reading->lease);
}

}  // namespace forebay::cache
