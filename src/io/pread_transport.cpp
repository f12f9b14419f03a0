#include "io/transport.hpp"

#include <cerrno>
#include <mutex>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <fmt/format.h>
#include <sys/uio.h>

namespace forebay::io {
namespace {

int attempt(const Transfer& transfer) {
  const auto count = static_cast<int>(transfer.parts.size());
  const auto offset = static_cast<::off_t>(transfer.offset);
  const ::ssize_t moved = transfer.is_write
                              ? ::pwritev(transfer.fd, transfer.parts.data(), count, offset)
                              : ::preadv(transfer.fd, transfer.parts.data(), count, offset);
  return moved < 0 ? -errno : static_cast<int>(moved);
}

class PreadTransport final : public Transport {
 public:
  explicit PreadTransport(std::size_t threads) : count_{threads} {}
  ~PreadTransport() override {
    for (const auto& lane : lanes_)
      lane->join();
  }

  std::string_view name() const override { return "pread"; }
  std::string extent() const override { return fmt::format("threads={}", count_); }

  unsigned add_lane() override {
    const std::lock_guard lock{mutex_};
    lanes_.push_back(std::make_unique<boost::asio::thread_pool>(count_));
    return static_cast<unsigned>(lanes_.size() - 1);
  }

  void start(std::unique_ptr<Transfer> transfer) override {
    boost::asio::io_context& home = runtime::Worker::current().context();
    boost::asio::post(lane(transfer->lane), [&home, held = std::move(transfer)]() mutable {
      std::optional<int> error;
      while (!error)
        error = held->note(attempt(*held));
      boost::asio::post(home, [done = std::move(held->done), result = *error]() mutable {
        std::move(done)(result);
      });
    });
  }

 private:
  boost::asio::thread_pool& lane(unsigned number) {
    const std::lock_guard lock{mutex_};
    return *lanes_[number];
  }

  std::size_t count_;  ///< Threads of each lane.
  std::mutex mutex_;
  std::vector<std::unique_ptr<boost::asio::thread_pool>> lanes_;  ///< Guarded by mutex_.
};

}  // namespace

std::unique_ptr<Transport> make_pread_transport(std::size_t threads) {
  return std::make_unique<PreadTransport>(threads);
}

}  // namespace forebay::io
