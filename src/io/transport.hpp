#pragma once
// How one read or write reaches the kernel. Two ways, one contract.
#include <forebay/base/result.hpp>
#include <forebay/runtime/worker.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_completion_handler.hpp>
#include <sys/uio.h>

namespace forebay::io {

/// One read or write on its way. Owned by its transport from start() until `done` is called: what
/// the kernel sees never hangs on a coroutine's frame.
struct Transfer {
  unsigned lane = 0;  ///< Of its device, from Transport::add_lane().
  bool is_write = false;
  int fd = -1;
  std::uint64_t offset = 0;
  std::vector<iovec> parts;
  /// With 0, or an errno. Called on the worker that started the transfer.
  boost::asio::any_completion_handler<void(int)> done;

  /// Takes in what one attempt returned (bytes, or a negative errno). Nothing while bytes are left:
  /// the transfer then stands for the rest, to be tried again; else what `done` is to be told.
  std::optional<int> note(int result);

 private:
  int futile_attempts_ = 0;
};

/// Any worker's thread. Destroyed when no transfer is left. Each device has a lane of its own: what
/// its transfers occupy is bounded, and those that wait stand before no other device's.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual std::string_view name() const = 0;
  /// How large it is, for the log: "entries=256 workers=2".
  virtual std::string extent() const = 0;
  /// For a device that is being opened. Lanes are not given back.
  virtual unsigned add_lane() = 0;
  virtual void start(std::unique_ptr<Transfer> transfer) = 0;
};

/// One ring for each worker, made on its thread; fewer entries than asked for where memlock refuses
/// more. The entries of a ring are divided by the lanes. The error's message says what was refused.
/// Not from a worker's thread.
Result<std::unique_ptr<Transport>> make_uring_transport(runtime::WorkerPool& workers,
                                                        unsigned entries);

/// For each lane a pool of threads that call preadv and pwritev.
std::unique_ptr<Transport> make_pread_transport(std::size_t threads);

}  // namespace forebay::io
