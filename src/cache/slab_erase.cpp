// How headers of purged blocks are erased: at the device's pace, and when it can be written.
#include "cache/slab.hpp"

#include <algorithm>

namespace forebay::cache {
namespace {

/// Headers of one device that are erased at once.
constexpr std::uint32_t kErasersMax = 8;

bool is_under(const Object& object, std::string_view bucket, std::string_view prefix) {
  const Identity& identity = object.identity();
  return identity.bucket == bucket && identity.key.starts_with(prefix);
}

}  // namespace

/// With the mutex held, of a slot that is live, released or free.
void Slab::doom_slot(std::uint32_t number) {
  Slot& slot = slots_[number];
  if (slot.state == State::live) {
    order_.remove(number);
    add_live(-1);
  } else if (slot.state == State::free) {
    free_.remove(number);
  }
  slot.state = State::doomed;
  doomed_.push_back(number);
}

void Slab::doom(const StoredBlock& stored) {
  {
    const std::lock_guard lock{mutex_};
    const Slot& slot = slots_[stored.slot];
    const bool is_its = slot.object != nullptr && slot.sequence == stored.sequence;
    if (!is_its || slot.state == State::writing || slot.state == State::doomed)
      return;
    doom_slot(stored.slot);
  }
  start_erasers();
}

std::vector<StoredBlock> Slab::doom_leftovers(std::string_view bucket, std::string_view prefix,
                                              std::uint32_t first, std::uint32_t count) {
  std::vector<StoredBlock> live;
  {
    const std::lock_guard lock{mutex_};
    const std::uint32_t end = first + std::min(count, slot_count_ - first);
    for (std::uint32_t number = first; number < end; ++number) {
      const Slot& slot = slots_[number];
      if (slot.state != State::free && slot.state != State::released && slot.state != State::live)
        continue;
      const auto attempt = attempted_.empty() ? attempted_.end() : attempted_.find(number);
      const bool attempted =
          attempt != attempted_.end() && is_under(*attempt->second, bucket, prefix);
      if (slot.state == State::live && attempted)
        live.push_back(stored_block(number));
      if (slot.state == State::live)
        continue;
      if (attempted || (slot.object != nullptr && is_under(*slot.object, bucket, prefix)))
        doom_slot(number);
    }
  }
  start_erasers();
  return live;
}

/// On a worker's thread.
void Slab::start_erasers() {
  const std::lock_guard lock{mutex_};
  for (; erasers_ < std::min<std::size_t>(kErasersMax, doomed_.size()); ++erasers_)
    runtime::Worker::current().tasks().spawn("erase headers", &Slab::erase_headers, this);
}

/// Nothing where none is left or the device cannot be written now: the eraser ends.
std::optional<std::uint32_t> Slab::next_doomed() {
  const std::lock_guard lock{mutex_};
  if (doomed_.empty() || !health_.begin_write(Clock::now())) {
    --erasers_;
    return std::nullopt;
  }
  const std::uint32_t slot = doomed_.front();
  doomed_.pop_front();
  ++erasing_;
  return slot;
}

void Slab::note_erased(std::uint32_t number, bool erased) {
  const std::lock_guard lock{mutex_};
  --erasing_;
  if (!erased) {
    doomed_.push_back(number);
    return;
  }
  Slot& slot = slots_[number];
  slot.object.reset();
  attempted_.erase(number);
  slot.state = State::released;
  if (slot.pins == 0)
    free_slot(number);
}

Task<void> Slab::erase_headers(Slab* self) {
  for (;;) {
    const std::optional<std::uint32_t> slot = self->next_doomed();
    if (!slot)
      break;
    HeaderBuffer zeros;
    const std::uint64_t offset = slot_offset(*slot);
    const Result<void> erased =
        co_await self->transfer(Direction::write, offset, zeros.parts(), nullptr);
    self->note_erased(*slot, erased.has_value());
  }
  self->purges_.wake_all();
}

Task<std::uint64_t> Slab::wait_erased() {
  const std::shared_ptr<runtime::Waiter> waiter = runtime::Waiter::create();
  for (;;) {
    purges_.add(waiter);
    std::uint64_t left = 0;
    bool waits = false;
    {
      const std::lock_guard lock{mutex_};
      left = doomed_.size() + erasing_;
      waits = erasers_ != 0 && !health_.stalled();
    }
    if (left == 0 || !waits) {
      purges_.remove(waiter);
      co_return left;
    }
    co_await waiter->wait(Deadline::never());
  }
}

}  // namespace forebay::cache
