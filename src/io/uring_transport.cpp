// The only file that sees liburing. What was measured about rings is in docs/io_uring.md.
#include "io/file.hpp"
#include "io/transport.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/base/errc.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <deque>
#include <utility>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <liburing.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace forebay::io {
namespace {

/// Completions are worked off when we ask, not when the kernel interrupts; TASKRUN_FLAG lets
/// liburing see that there are some. Kernel 6.1; older ones answer EINVAL and get a plain ring.
constexpr unsigned kFlags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                            IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL |
                            IORING_SETUP_CLAMP;
constexpr unsigned kPlainFlags = IORING_SETUP_CLAMP;
constexpr unsigned kEntriesMin = 8;

Error system_error(int error) {
  return {error, boost::system::system_category()};
}

using LaneCount = std::shared_ptr<std::atomic<unsigned>>;

/// One worker's ring; that worker's thread only. Kept alive by the handlers that are still queued.
class Ring : public std::enable_shared_from_this<Ring> {
 public:
  static Result<std::shared_ptr<Ring>> create(runtime::Worker& worker, unsigned entries,
                                              const LaneCount& lane_count);
  Ring(runtime::Worker& worker, LaneCount lane_count)
      : worker_{worker}, event_{worker.context()}, lane_count_{std::move(lane_count)} {}
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  /// Transfers that are still in flight are left to the kernel, and leak.
  ~Ring() {
    if (is_set_up_)
      ::io_uring_queue_exit(&ring_);
  }

  void start(std::unique_ptr<Transfer> transfer);
  void close();
  /// What the kernel gave. Any thread.
  unsigned entries() const { return ring_.sq.ring_entries; }

 private:
  struct Lane {
    std::deque<std::unique_ptr<Transfer>> waiting;  ///< Beyond its part of the ring.
    std::size_t in_flight = 0;
  };

  Result<void> set_up(unsigned entries);
  Result<void> probe();
  void post_flush();
  void flush();
  bool may_prepare(const Lane& lane) const;
  void prepare_waiting();
  void prepare(std::unique_ptr<Transfer> transfer);
  void reap();
  void arm();
  void woken();

  runtime::Worker& worker_;
  ::io_uring ring_{};
  bool is_set_up_ = false;
  boost::asio::posix::stream_descriptor event_;

  LaneCount lane_count_;
  std::deque<Lane> lanes_;     ///< Of the devices that this worker has used.
  std::size_t in_flight_ = 0;  ///< Never more than the ring has entries.
  bool flush_posted_ = false;
  bool armed_ = false;  ///< A wait on the eventfd is pending; always while something is in flight.
};

Result<std::shared_ptr<Ring>> Ring::create(runtime::Worker& worker, unsigned entries,
                                           const LaneCount& lane_count) {
  auto ring = std::make_shared<Ring>(worker, lane_count);
  TRY(ring->set_up(entries));
  TRY(ring->probe());
  const int event = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (event < 0)
    return system_error(errno);
  ring->event_.assign(event);
  if (const int result = ::io_uring_register_eventfd(&ring->ring_, event); result < 0)
    return system_error(-result);
  return ring;
}

Result<void> Ring::set_up(unsigned entries) {
  unsigned flags = kFlags;
  for (;;) {
    const int result = ::io_uring_queue_init(entries, &ring_, flags);
    if (result == 0)
      break;
    if (result == -EINVAL && flags != kPlainFlags)
      flags = kPlainFlags;
    else if (result == -ENOMEM && entries / 2 >= kEntriesMin)
      entries /= 2;
    else
      return system_error(-result);
  }
  is_set_up_ = true;
  // A device whose queue is full blocks the kernel's own threads for this ring; of its default
  // number, four for each CPU, none would be left for other devices. Before kernel 5.15: as it is.
  std::array<unsigned, 2> workers{ring_.sq.ring_entries, 0};
  ::io_uring_register_iowq_max_workers(&ring_, workers.data());
  return success();
}

/// A ring that can be made is not yet one that works: a NOP, and a read of a file that is there.
Result<void> Ring::probe() {
  constexpr std::size_t kSize = 4096;
  alignas(kSize) std::array<std::byte, kSize> buffer;
  iovec part{buffer.data(), buffer.size()};
  UniqueFd fd{::open("/proc/self/exe", O_RDONLY | O_CLOEXEC | O_DIRECT)};
  if (!fd)
    fd = UniqueFd{::open("/proc/self/exe", O_RDONLY | O_CLOEXEC)};
  if (!fd)
    return system_error(errno);
  ::io_uring_prep_nop(::io_uring_get_sqe(&ring_));
  ::io_uring_prep_readv(::io_uring_get_sqe(&ring_), fd.get(), &part, 1, 0);
  if (const int result = ::io_uring_submit_and_wait(&ring_, 2); result < 0)
    return system_error(-result);
  int error = 0;
  for (int i = 0; i < 2; ++i) {
    ::io_uring_cqe* cqe = nullptr;
    if (const int result = ::io_uring_wait_cqe(&ring_, &cqe); result < 0)
      return system_error(-result);
    error = cqe->res < 0 ? -cqe->res : error;
    ::io_uring_cqe_seen(&ring_, cqe);
  }
  if (error != 0)
    return system_error(error);
  return success();
}

void Ring::start(std::unique_ptr<Transfer> transfer) {
  const unsigned lane = transfer->lane;
  if (lane >= lanes_.size())
    lanes_.resize(lane + 1);
  lanes_[lane].waiting.push_back(std::move(transfer));
  post_flush();
}

/// One submission for everything that is started in one turn of the loop.
void Ring::post_flush() {
  if (std::exchange(flush_posted_, true))
    return;
  boost::asio::post(worker_.context(), [self = shared_from_this()] {
    self->flush_posted_ = false;
    self->flush();
  });
}

bool Ring::may_prepare(const Lane& lane) const {
  const unsigned entries = ring_.sq.ring_entries;
  const unsigned part = std::max(1U, entries / lane_count_->load(std::memory_order_relaxed));
  return !lane.waiting.empty() && lane.in_flight < part && in_flight_ < entries;
}

/// One of each lane in turn: where lanes are more than entries, none waits for all of another.
void Ring::prepare_waiting() {
  for (bool any = true; any;) {
    any = false;
    for (Lane& lane : lanes_) {
      if (!may_prepare(lane) || ::io_uring_sq_space_left(&ring_) == 0)
        continue;
      std::unique_ptr<Transfer> transfer = std::move(lane.waiting.front());
      lane.waiting.pop_front();
      prepare(std::move(transfer));
      any = true;
    }
  }
}

void Ring::flush() {
  prepare_waiting();
  // Enters the kernel even where nothing is to be submitted: with DEFER_TASKRUN completions are
  // not to be seen before. What it cannot take now stays in the submission queue.
  ::io_uring_submit_and_get_events(&ring_);
  reap();
  const bool may_submit = std::any_of(lanes_.begin(), lanes_.end(),
                                      [this](const Lane& lane) { return may_prepare(lane); });
  if (may_submit || ::io_uring_sq_ready(&ring_) != 0)
    post_flush();
  arm();
}

void Ring::prepare(std::unique_ptr<Transfer> transfer) {
  ::io_uring_sqe* sqe = ::io_uring_get_sqe(&ring_);
  ASSERT(sqe != nullptr);
  const auto count = static_cast<unsigned>(transfer->parts.size());
  if (transfer->is_write)
    ::io_uring_prep_writev(sqe, transfer->fd, transfer->parts.data(), count, transfer->offset);
  else
    ::io_uring_prep_readv(sqe, transfer->fd, transfer->parts.data(), count, transfer->offset);
  ++lanes_[transfer->lane].in_flight;
  ++in_flight_;
  ::io_uring_sqe_set_data(sqe, transfer.release());
}

/// Takes every completion off the ring before it tells anybody: who is told may start more.
void Ring::reap() {
  std::vector<std::pair<std::unique_ptr<Transfer>, int>> ended;
  unsigned head = 0;
  unsigned seen = 0;
  ::io_uring_cqe* cqe = nullptr;
  io_uring_for_each_cqe(&ring_, head, cqe) {
    std::unique_ptr<Transfer> transfer{static_cast<Transfer*>(::io_uring_cqe_get_data(cqe))};
    Lane& lane = lanes_[transfer->lane];
    ++seen;
    --lane.in_flight;
    --in_flight_;
    if (const std::optional<int> error = transfer->note(cqe->res); error)
      ended.emplace_back(std::move(transfer), *error);
    else
      lane.waiting.push_front(std::move(transfer));
  }
  ::io_uring_cq_advance(&ring_, seen);
  for (auto& [transfer, error] : ended) {
    auto done = std::move(transfer->done);
    transfer.reset();
    std::move(done)(error);
  }
}

void Ring::arm() {
  if (in_flight_ == 0 || std::exchange(armed_, true))
    return;
  event_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                    [self = shared_from_this()](boost::system::error_code ec) {
                      self->armed_ = false;
                      if (!ec)
                        self->woken();
                    });
}

void Ring::woken() {
  std::uint64_t count = 0;
  // Nothing to read is no fault: one wake may stand for several.
  static_cast<void>(::read(event_.native_handle(), &count, sizeof count) == 0);
  flush();
}

void Ring::close() {
  boost::system::error_code ignored;
  event_.close(ignored);
}

class UringTransport final : public Transport {
 public:
  UringTransport(runtime::WorkerPool& workers, std::vector<std::shared_ptr<Ring>> rings,
                 LaneCount lane_count)
      : workers_{workers}, rings_{std::move(rings)}, lane_count_{std::move(lane_count)} {}
  /// A ring is closed on its worker's thread, or with its io_context where that has stopped.
  ~UringTransport() override {
    for (std::size_t i = 0; i < rings_.size(); ++i)
      boost::asio::post(workers_.worker(i).context(),
                        [ring = std::move(rings_[i])] { ring->close(); });
  }

  std::string_view name() const override { return "io_uring"; }
  /// Of the smallest ring: memlock may have refused more to one worker than to another.
  std::string extent() const override {
    unsigned entries = rings_.front()->entries();
    for (const auto& ring : rings_)
      entries = std::min(entries, ring->entries());
    return fmt::format("entries={} workers={}", entries, rings_.size());
  }
  unsigned add_lane() override { return lane_count_->fetch_add(1); }
  void start(std::unique_ptr<Transfer> transfer) override {
    rings_[runtime::Worker::current().index()]->start(std::move(transfer));
  }

 private:
  runtime::WorkerPool& workers_;
  std::vector<std::shared_ptr<Ring>> rings_;
  LaneCount lane_count_;
};

}  // namespace

Result<std::unique_ptr<Transport>> make_uring_transport(runtime::WorkerPool& workers,
                                                        unsigned entries) {
  using Made = Result<std::shared_ptr<Ring>>;
  std::vector<Made> made(workers.size(), Made{make_error_code(Errc::cancelled)});
  const auto lane_count = std::make_shared<std::atomic<unsigned>>(0);
  workers.run_on_each([&](runtime::Worker& worker) {
    made[worker.index()] = Ring::create(worker, entries, lane_count);
  });
  std::vector<std::shared_ptr<Ring>> rings;
  for (Made& ring : made) {
    if (!ring)
      return ring.error();
    rings.push_back(std::move(ring).value());
  }
  return std::make_unique<UringTransport>(workers, std::move(rings), lane_count);
}

}  // namespace forebay::io
