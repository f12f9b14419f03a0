#pragma once
// Aligned asynchronous reads and writes of one slab file or raw device.
#include <forebay/base/result.hpp>
#include <forebay/runtime/task.hpp>
#include <forebay/runtime/worker.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <sys/uio.h>

namespace forebay::io {

/// Offsets, lengths and addresses handed to a device are multiples of this.
inline constexpr std::size_t kDeviceAlignment = 4096;

/// What moves the bytes. `automatic`: io_uring where a ring and a probe read work, else a pread
/// pool; one log line says which and why.
enum class EngineKind { automatic, uring, pread };

struct EngineConfig {
  EngineKind kind = EngineKind::automatic;
  std::size_t pread_threads = 16;  ///< Threads of the pread pool of each device.
  /// Per worker, divided by the devices; steps down where memlock refuses.
  unsigned ring_entries = 256;
};

/// One place to read and write. Every call is made on a worker's thread and completes there. There
/// is no cancellation: the caller's coroutine frame and the memory named by `parts` stay until the
/// operation has completed (a reader that gives up abandons a task that owns them, never the memory
/// itself). A short transfer is completed inside or reported as Errc::device_failed.
class BlockDevice {
 public:
  virtual ~BlockDevice() = default;
  /// Errc::device_failed on any I/O error (logged with errno once per burst).
  virtual Task<Result<void>> read(std::uint64_t offset, std::vector<iovec> parts) = 0;
  /// One operation: parts are gathered into a single write.
  virtual Task<Result<void>> write(std::uint64_t offset, std::vector<iovec> parts) = 0;
  virtual std::uint64_t size_bytes() const = 0;
  virtual const std::string& path() const = 0;
};

/// The engines of all workers. Outlives the devices it opened; destroyed after the workers' tasks
/// have drained.
class IoEngine {
 public:
  /// Builds the rings on the workers' threads (not called from one). Errc::device_failed when
  /// `uring` was asked for and is refused.
  static Result<std::unique_ptr<IoEngine>> create(const EngineConfig& config,
                                                  runtime::WorkerPool& workers);
  virtual ~IoEngine() = default;
  /// "io_uring" or "pread".
  virtual std::string_view name() const = 0;
  /// Opens with O_DIRECT (without, and one warning, where the file system refuses it), takes an
  /// exclusive flock, creates and preallocates a regular file of size_bytes where absent; a raw
  /// device is used as it is. Errors name path and errno in the log.
  virtual Result<std::unique_ptr<BlockDevice>> open(const std::string& path,
                                                    std::uint64_t size_bytes) = 0;
};

}  // namespace forebay::io
