// A device whose transfers never end leaves the ring to the others.
#include "io/transport.hpp"
#include "support/run_on_worker.hpp"

#include <forebay/base/units.hpp>

#include <array>
#include <atomic>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace forebay::io {
namespace {

constexpr int kTransfers = 50;

/// Reads whose bytes go nowhere that anybody looks.
class Reads {
 public:
  void start(Transport& transport, unsigned lane, int fd, std::uint64_t offset) {
    auto transfer = std::make_unique<Transfer>();
    transfer->lane = lane;
    transfer->fd = fd;
    transfer->offset = offset;
    transfer->parts = {{bytes_.data(), bytes_.size()}};
    boost::asio::any_completion_handler<void(int)> done{[this](int error) {
      EXPECT_EQ(error, 0);
      ++ended_;
    }};
    transfer->done.swap(done);
    transport.start(std::move(transfer));
  }
  void wait_for(int count) const {
    while (ended_ < count)
      std::this_thread::yield();
  }
  int ended() const { return ended_; }

 private:
  std::array<std::byte, 1> bytes_{};
  std::atomic<int> ended_{0};
};

TEST(Lanes, ADeviceThatHangsLeavesTheRingToTheOthers) {
  runtime::WorkerPool workers{runtime::Config{1}};
  const auto transport = make_uring_transport(workers, 8).value();
  const unsigned hung = transport->add_lane();
  const unsigned other = transport->add_lane();
  // A pipe that nobody writes to stands for the device; -1 is where it stands.
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const int file = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  Reads from_hung;
  Reads from_other;
  workers.run_on_each([&](runtime::Worker&) {
    for (int i = 0; i < kTransfers; ++i)
      from_hung.start(*transport, hung, pipe[0], ~std::uint64_t{0});
    for (int i = 0; i < kTransfers; ++i)
      from_other.start(*transport, other, file, 0);
  });
  from_other.wait_for(kTransfers);
  EXPECT_EQ(from_hung.ended(), 0);
  const std::string bytes(kTransfers, 'x');
  EXPECT_EQ(::write(pipe[1], bytes.data(), bytes.size()), kTransfers);
  from_hung.wait_for(kTransfers);
  for (const int fd : {pipe[0], pipe[1], file})
    ::close(fd);
}

}  // namespace
}  // namespace forebay::io
