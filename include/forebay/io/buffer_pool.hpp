#pragma once
// The one bounded pool of page frames: fills and disk reads land here, hot pages stay here.
#include <forebay/base/units.hpp>
#include <forebay/runtime/deadline.hpp>
#include <forebay/runtime/task.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace forebay::runtime {
class Waiter;
}

namespace forebay::io {

/// Unit of the pool, of checksums and of small reads. A format constant (cache/slab_layout.hpp).
inline constexpr std::size_t kPageSize = 128 * KiB;

class BufferPool;

/// A counted reference to one frame of kPageSize bytes, aligned to kPageSize. Copying and dropping
/// it is safe on any thread; the bytes are written only by who acquired the frame, before others
/// are shown it. Must not outlive its pool.
class PageRef {
 public:
  PageRef() = default;
  PageRef(const PageRef& other) noexcept;
  PageRef(PageRef&& other) noexcept;
  PageRef& operator=(PageRef other) noexcept;
  ~PageRef();

  explicit operator bool() const { return pool_ != nullptr; }
  std::byte* data() const;
  /// Place in the pool, 0 to BufferPool::frame_count() - 1: for side tables.
  std::uint32_t index() const { return index_; }
  /// True when this is the only reference. Meaningful only where no other reference can appear
  /// meanwhile.
  bool unique() const;

 private:
  friend class BufferPool;
  PageRef(BufferPool* pool, std::uint32_t index) : pool_{pool}, index_{index} {}

  BufferPool* pool_ = nullptr;
  std::uint32_t index_ = 0;
};

/// What frames are in use for. Each share has a bound of its own, so that no use can starve
/// another; the rest of the pool holds resident pages nobody is working on.
enum class Share : std::uint8_t {
  fill,         ///< Being filled from the origin for a reader that waits. 5/16 of the pool.
  background,   ///< Being filled while nobody waits. 1/16, and a block at least.
  disk_read,    ///< Being read from a device. 4/16.
  slot_write,   ///< Held until written to a device. 2/16.
  speculation,  ///< Read ahead of need; never waited for. 2/16.
};
inline constexpr std::size_t kShareCount = 5;

/// Least that a device's part of a share is, whatever the division says: one block.
inline constexpr std::size_t kDevicePartMin = 4 * MiB / kPageSize;

/// Frames charged to a share. Dropping the lease ends the charge; the frames live on for as long as
/// PageRefs to them do.
class Lease {
 public:
  Lease() = default;
  Lease(Lease&& other) noexcept;
  Lease& operator=(Lease&& other) noexcept;
  ~Lease();

  std::vector<PageRef> pages;

 private:
  friend class BufferPool;
  BufferPool* pool_ = nullptr;
  Share share_ = Share::fill;
  std::size_t device_ = 0;
  std::size_t charged_ = 0;
};

/// Any thread, except acquire() and charge(): a worker's. What works on devices (disk_read,
/// slot_write, speculation) is charged to one device's equal part of the share, so that a device
/// that keeps its frames for ever has no more than its part; the other shares have one part only.
class BufferPool {
 public:
  struct Config {
    std::uint64_t size_bytes = 1 * GiB;  ///< Rounded down to whole frames; at least 32 MiB.
  };

  explicit BufferPool(const Config& config);
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;
  ~BufferPool();

  /// `reclaim(n)` is called without any lock of the pool when frames run short: it should drop
  /// references to about n resident frames and return how many it dropped. Set once, before use.
  void set_reclaimer(std::function<std::size_t(std::size_t)> reclaim);

  /// Divides the shares of what works on devices by `devices` (at least 1). While nothing is
  /// charged.
  void divide(std::size_t devices);
  /// Nobody waits for frames of that device from now on, and who does is refused at once: its
  /// operations do not end. Or the opposite.
  void suspend(std::size_t device, bool suspended);

  /// Waits, first come first served within a device's part, until `count` frames are free and the
  /// part has room for all of them. Nobody may call this while holding a lease. Errc::overloaded
  /// when the deadline passes or the device is suspended; asserts that count fits the part.
  Task<Result<Lease>> acquire(Share share, std::size_t count, Deadline deadline,
                              std::size_t device = 0);
  /// The same without waiting; nullopt where acquire would wait.
  std::optional<Lease> try_acquire(Share share, std::size_t count, std::size_t device = 0);
  /// Charges frames the caller already holds to `share` (slot writes). nullopt where the device's
  /// part is full, or the device suspended.
  std::optional<Lease> try_charge(Share share, std::vector<PageRef> pages, std::size_t device = 0);
  /// The same, but waits for room. What it waits for is the end of other charges of that part,
  /// which must not wait for frames in their turn. Errc::overloaded as for acquire().
  Task<Result<Lease>> charge(Share share, std::vector<PageRef> pages, Deadline deadline,
                             std::size_t device = 0);

  std::size_t frame_count() const { return frame_count_; }
  std::size_t share_limit(Share share) const;
  /// Of one device: at most its part of the share, and no less than a block.
  std::size_t part_limit(Share share) const;
  std::size_t share_used(Share share) const;
  std::size_t free_count() const;

 private:
  friend class PageRef;
  friend class Lease;
  struct State;
  struct Part;
  using Attempt = std::function<std::optional<Lease>(const runtime::Waiter*)>;

  Part& part(Share share, std::size_t device) const;
  bool has_room(Share share, std::size_t device, std::size_t count) const;
  Lease charge_to(Share share, std::size_t device, std::size_t count);
  Task<Result<Lease>> line_up(Part& part, Deadline deadline, Attempt attempt);
  void give_back(std::uint32_t index);
  void end_charge(Share share, std::size_t device, std::size_t count);
  void wake_first();
  std::optional<Lease> take(Share share, std::size_t device, std::size_t count,
                            const runtime::Waiter* waiter);
  void make_room(std::size_t count);

  std::size_t frame_count_;
  std::unique_ptr<State> state_;
};

}  // namespace forebay::io
