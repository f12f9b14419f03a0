// The only file that sees liburing. What was measured about rings is in docs/io_uring.md.
#include "io/file.hpp"
#include "io/transport.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/base/errc.hpp>

#include <algorithm>
#include <array>
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

/// One worker's ring; that worker's thread only. Kept alive by the handlers that are still queued.
class Ring : public std::enable_shared_from_this<Ring> {
 public:
  static Result<std::shared_ptr<Ring>> create(runtime::Worker& worker, unsigned entries);
  explicit Ring(runtime::Worker& worker) : worker_{worker}, event_{worker.context()} {}
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
  Result<void> set_up(unsigned entries);
  Result<void> probe();
  void post_flush();
  void flush();
  void prepare(std::unique_ptr<Transfer> transfer);
  void reap();
  void arm();
  void woken();

  runtime::Worker& worker_;
  ::io_uring ring_{};
  bool is_set_up_ = false;
  boost::asio::posix::stream_descriptor event_;

  std::deque<std::unique_ptr<Transfer>> waiting_;  ///< Beyond what the ring holds.
  std::size_t in_flight_ = 0;                      ///< Never more than the ring has entries.
  bool flush_posted_ = false;
  bool armed_ = false;  ///< A wait on the eventfd is pending; always while something is in flight.
};

Result<std::shared_ptr<Ring>> Ring::create(runtime::Worker& worker, unsigned entries) {
  auto ring = std::make_shared<Ring>(worker);
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
  waiting_.push_back(std::move(transfer));
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

void Ring::flush() {
  while (!waiting_.empty() && ::io_uring_sq_space_left(&ring_) != 0 &&
         in_flight_ < ring_.sq.ring_entries) {
    prepare(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  // Enters the kernel even where nothing is to be submitted: with DEFER_TASKRUN completions are
  // not to be seen before. What it cannot take now stays in the submission queue.
  ::io_uring_submit_and_get_events(&ring_);
  reap();
  const bool may_submit = !waiting_.empty() && in_flight_ < ring_.sq.ring_entries;
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
  ::io_uring_sqe_set_data(sqe, transfer.release());
  ++in_flight_;
}

/// Takes every completion off the ring before it tells anybody: who is told may start more.
void Ring::reap() {
  std::vector<std::pair<std::unique_ptr<Transfer>, int>> ended;
  unsigned head = 0;
  unsigned seen = 0;
  ::io_uring_cqe* cqe = nullptr;
  io_uring_for_each_cqe(&ring_, head, cqe) {
    std::unique_ptr<Transfer> transfer{static_cast<Transfer*>(::io_uring_cqe_get_data(cqe))};
    ++seen;
    --in_flight_;
    if (const std::optional<int> error = transfer->note(cqe->res); error)
      ended.emplace_back(std::move(transfer), *error);
    else
      waiting_.push_front(std::move(transfer));
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
  UringTransport(runtime::WorkerPool& workers, std::vector<std::shared_ptr<Ring>> rings)
      : workers_{workers}, rings_{std::move(rings)} {}
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
  void start(std::unique_ptr<Transfer> transfer) override {
    rings_[runtime::Worker::current().index()]->start(std::move(transfer));
  }

 private:
  runtime::WorkerPool& workers_;
  std::vector<std::shared_ptr<Ring>> rings_;
};

}  // namespace

Result<std::unique_ptr<Transport>> make_uring_transport(runtime::WorkerPool& workers,
                                                        unsigned entries) {
  using Made = Result<std::shared_ptr<Ring>>;
  std::vector<Made> made(workers.size(), Made{make_error_code(Errc::cancelled)});
  workers.run_on_each([&made, entries](runtime::Worker& worker) {
    made[worker.index()] = Ring::create(worker, entries);
  });
  std::vector<std::shared_ptr<Ring>> rings;
  for (Made& ring : made) {
    if (!ring)
      return ring.error();
    rings.push_back(std::move(ring).value());
  }
  return std::make_unique<UringTransport>(workers, std::move(rings));
}

}  // namespace forebay::io
