#include <forebay/base/assert.hpp>
#include <forebay/base/errc.hpp>
#include <forebay/io/buffer_pool.hpp>
#include <forebay/runtime/waiter.hpp>

#include <algorithm>
#include <new>
#include <utility>

#include <sys/mman.h>

namespace forebay::io {
namespace {

/// Sixteenths of the pool, by Share; and what the least of them has in the smallest pool.
constexpr std::array<std::size_t, kShareCount> kShareSixteenths{5, 1, 4, 2, 2};
constexpr std::size_t kShareMin = 4 * MiB / kPageSize;
constexpr std::uint64_t kSizeMin = 32 * MiB;
/// How often a waiting acquire() looks for frames that have become reclaimable unannounced.
constexpr milliseconds kLookAgain{20};

constexpr std::size_t index_of(Share share) {
  return static_cast<std::size_t>(share);
}

/// The shares that are divided by devices.
constexpr std::array kDeviceShares{Share::disk_read, Share::slot_write, Share::speculation};

}  // namespace

/// One device's part of a share, or all of a share that has nothing to do with devices.
struct BufferPool::Part {
  std::size_t used = 0;
  bool suspended = false;
  std::deque<std::shared_ptr<runtime::Waiter>> waiting;
};

struct BufferPool::State {
  void* mapping = nullptr;
  std::byte* memory = nullptr;  ///< The first frame, within the mapping.
  std::size_t mapped = 0;
  std::unique_ptr<std::atomic<std::uint32_t>[]> references;
  std::function<std::size_t(std::size_t)> reclaim;

  std::mutex mutex;
  // Guarded by mutex, but for the number of parts.
  std::vector<std::uint32_t> free;
  std::array<std::size_t, kShareCount> used{};  ///< Of all parts.
  std::array<std::vector<Part>, kShareCount> parts;
};

PageRef::PageRef(const PageRef& other) noexcept : pool_{other.pool_}, index_{other.index_} {
  if (pool_ != nullptr)
    pool_->state_->references[index_].fetch_add(1, std::memory_order_relaxed);
}

PageRef::PageRef(PageRef&& other) noexcept
    : pool_{std::exchange(other.pool_, nullptr)}, index_{other.index_} {}

PageRef& PageRef::operator=(PageRef other) noexcept {
  std::swap(pool_, other.pool_);
  std::swap(index_, other.index_);
  return *this;
}

PageRef::~PageRef() {
  if (pool_ == nullptr)
    return;
  BufferPool::State& state = *pool_->state_;
  if (state.references[index_].fetch_sub(1, std::memory_order_acq_rel) == 1)
    pool_->give_back(index_);
}

std::byte* PageRef::data() const {
  return pool_->state_->memory + std::size_t{index_} * kPageSize;
}

bool PageRef::unique() const {
  return pool_->state_->references[index_].load(std::memory_order_acquire) == 1;
}

Lease::Lease(Lease&& other) noexcept
    : pages{std::move(other.pages)},
      pool_{std::exchange(other.pool_, nullptr)},
      share_{other.share_},
      device_{other.device_},
      charged_{std::exchange(other.charged_, 0)} {}

Lease& Lease::operator=(Lease&& other) noexcept {
  std::swap(pages, other.pages);
  std::swap(pool_, other.pool_);
  std::swap(share_, other.share_);
  std::swap(device_, other.device_);
  std::swap(charged_, other.charged_);
  return *this;
}

Lease::~Lease() {
  if (pool_ == nullptr)
    return;
  // First the frames: who is woken by the end of the charge must find them free.
  pages.clear();
  pool_->end_charge(share_, device_, charged_);
}

BufferPool::BufferPool(const Config& config)
    : frame_count_{std::max(config.size_bytes, kSizeMin) / kPageSize},
      state_{std::make_unique<State>()} {
  // One frame more than is used, so that the first can be aligned to its own size.
  state_->mapped = (frame_count_ + 1) * kPageSize;
  void* mapping = ::mmap(nullptr, state_->mapped, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED)
    throw std::bad_alloc{};
  state_->mapping = mapping;
  const auto address = reinterpret_cast<std::uintptr_t>(mapping);
  state_->memory = static_cast<std::byte*>(mapping) + (align_up(address, kPageSize) - address);
  ::madvise(mapping, state_->mapped, MADV_HUGEPAGE);
  state_->references = std::make_unique<std::atomic<std::uint32_t>[]>(frame_count_);
  for (auto& parts : state_->parts)
    parts.resize(1);
  state_->free.reserve(frame_count_);
  // Taken from the back: low frames first, so that memory never needed is never touched.
  for (std::size_t i = frame_count_; i > 0; --i)
    state_->free.push_back(static_cast<std::uint32_t>(i - 1));
}

BufferPool::~BufferPool() {
  ::munmap(state_->mapping, state_->mapped);
}

void BufferPool::set_reclaimer(std::function<std::size_t(std::size_t)> reclaim) {
  state_->reclaim = std::move(reclaim);
}

void BufferPool::divide(std::size_t devices) {
  ASSERT(devices != 0);
  for (const Share share : kDeviceShares) {
    ASSERT(share_used(share) == 0);
    state_->parts[index_of(share)] = std::vector<Part>(devices);
  }
}

void BufferPool::suspend(std::size_t device, bool suspended) {
  const std::lock_guard lock{state_->mutex};
  for (const Share share : kDeviceShares) {
    Part& its = part(share, device);
    its.suspended = suspended;
    for (const auto& waiter : its.waiting)
      waiter->wake();
  }
}

BufferPool::Part& BufferPool::part(Share share, std::size_t device) const {
  auto& parts = state_->parts[index_of(share)];
  ASSERT(device < parts.size());
  return parts[device];
}

std::size_t BufferPool::share_limit(Share share) const {
  return std::max(kShareMin, frame_count_ * kShareSixteenths[index_of(share)] / 16);
}

std::size_t BufferPool::part_limit(Share share) const {
  const std::size_t all = share_limit(share);
  const std::size_t devices = state_->parts[index_of(share)].size();
  return std::max(all / devices, std::min(all, kDevicePartMin));
}

std::size_t BufferPool::share_used(Share share) const {
  const std::lock_guard lock{state_->mutex};
  return state_->used[index_of(share)];
}

std::size_t BufferPool::free_count() const {
  const std::lock_guard lock{state_->mutex};
  return state_->free.size();
}

/// The last reference to a frame has gone.
void BufferPool::give_back(std::uint32_t index) {
  const std::lock_guard lock{state_->mutex};
  state_->free.push_back(index);
  wake_first();
}

void BufferPool::end_charge(Share share, std::size_t device, std::size_t count) {
  const std::lock_guard lock{state_->mutex};
  state_->used[index_of(share)] -= count;
  part(share, device).used -= count;
  wake_first();
}

/// Whoever is first in the line of each part looks again. With the mutex held.
void BufferPool::wake_first() {
  for (auto& parts : state_->parts) {
    for (Part& its : parts) {
      if (!its.waiting.empty())
        its.waiting.front()->wake();
    }
  }
}

/// With the mutex held.
bool BufferPool::has_room(Share share, std::size_t device, std::size_t count) const {
  const Part& its = part(share, device);
  return !its.suspended && its.used + count <= part_limit(share) &&
         state_->used[index_of(share)] + count <= share_limit(share);
}

/// With the mutex held. The caller adds the pages.
Lease BufferPool::charge_to(Share share, std::size_t device, std::size_t count) {
  Lease lease;
  lease.pool_ = this;
  lease.share_ = share;
  lease.device_ = device;
  lease.charged_ = count;
  state_->used[index_of(share)] += count;
  part(share, device).used += count;
  return lease;
}

/// Takes frames if the part has room and enough are free. `waiter` is the asker's place in line,
/// or null for one who has none. With the mutex held.
std::optional<Lease> BufferPool::take(Share share, std::size_t device, std::size_t count,
                                      const runtime::Waiter* waiter) {
  const auto& line = part(share, device).waiting;
  const bool my_turn = line.empty() || line.front().get() == waiter;
  if (!my_turn || !has_room(share, device, count) || state_->free.size() < count)
    return std::nullopt;
  Lease lease = charge_to(share, device, count);
  lease.pages.reserve(count);
  for (std::size_t n = 0; n < count; ++n) {
    const std::uint32_t index = state_->free.back();
    state_->free.pop_back();
    state_->references[index].store(1, std::memory_order_relaxed);
    lease.pages.push_back(PageRef{this, index});
  }
  return lease;
}

/// Makes resident pages give way where frames are short. Without the mutex: the reclaimer gives
/// frames back.
void BufferPool::make_room(std::size_t count) {
  std::size_t free = free_count();
  if (free < count && state_->reclaim)
    state_->reclaim(count - free);
}

std::optional<Lease> BufferPool::try_acquire(Share share, std::size_t count, std::size_t device) {
  ASSERT(count <= part_limit(share));
  {
    const std::lock_guard lock{state_->mutex};
    if (!has_room(share, device, count))
      return std::nullopt;
  }
  make_room(count);
  const std::lock_guard lock{state_->mutex};
  return take(share, device, count, nullptr);
}

std::optional<Lease> BufferPool::try_charge(Share share, std::vector<PageRef> pages,
                                            std::size_t device) {
  const std::lock_guard lock{state_->mutex};
  if (!has_room(share, device, pages.size()))
    return std::nullopt;
  Lease lease = charge_to(share, device, pages.size());
  lease.pages = std::move(pages);
  return lease;
}

/// Waits in the line of `part` until `attempt`, which is given the asker's place in it, succeeds.
Task<Result<Lease>> BufferPool::line_up(Part& part, Deadline deadline, Attempt attempt) {
  const std::shared_ptr<runtime::Waiter> waiter = runtime::Waiter::create();
  {
    const std::lock_guard lock{state_->mutex};
    part.waiting.push_back(waiter);
  }
  for (bool in_time = true;;) {
    std::optional<Lease> lease = attempt(waiter.get());
    {
      const std::lock_guard lock{state_->mutex};
      if (lease || !in_time || part.suspended) {
        std::erase(part.waiting, waiter);
        wake_first();
        in_time = false;
      }
    }
    if (lease)
      co_return std::move(*lease);
    if (!in_time)
      co_return Errc::overloaded;
    // A resident page that was pinned for a moment announces nothing when it is let go.
    co_await waiter->wait(deadline.capped(kLookAgain));
    in_time = !deadline.expired();
  }
}

Task<Result<Lease>> BufferPool::acquire(Share share, std::size_t count, Deadline deadline,
                                        std::size_t device) {
  if (auto lease = try_acquire(share, count, device); lease)
    co_return std::move(*lease);
  Attempt attempt = [this, share, device, count](const runtime::Waiter* waiter) {
    make_room(count);
    const std::lock_guard lock{state_->mutex};
    return take(share, device, count, waiter);
  };
  co_return co_await line_up(part(share, device), deadline, std::move(attempt));
}

Task<Result<Lease>> BufferPool::charge(Share share, std::vector<PageRef> pages, Deadline deadline,
                                       std::size_t device) {
  if (auto lease = try_charge(share, pages, device); lease)
    co_return std::move(*lease);
  Attempt attempt = [this, share, device, held = std::move(pages)](const runtime::Waiter*) {
    return try_charge(share, held, device);
  };
  co_return co_await line_up(part(share, device), deadline, std::move(attempt));
}

}  // namespace forebay::io
