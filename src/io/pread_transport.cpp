#include "io/transport.hpp"

#include <cerrno>
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
  explicit PreadTransport(std::size_t threads) : count_{threads}, threads_{threads} {}
  ~PreadTransport() override { threads_.join(); }

  std::string_view name() const override { return "pread"; }
  std::string extent() const override { return fmt::format("threads={}", count_); }

  void start(std::unique_ptr<Transfer> transfer) override {
    boost::asio::io_context& home = runtime::Worker::current().context();
    boost::asio::post(threads_, [&home, held = std::move(transfer)]() mutable {
      std::optional<int> error;
      while (!error)
        error = held->note(attempt(*held));
      boost::asio::post(home, [done = std::move(held->done), result = *error]() mutable {
        std::move(done)(result);
      });
    });
  }

 private:
  std::size_t count_;
  boost::asio::thread_pool threads_;
};

}  // namespace

std::unique_ptr<Transport> make_pread_transport(std::size_t threads) {
  return std::make_unique<PreadTransport>(threads);
}

}  // namespace forebay::io
