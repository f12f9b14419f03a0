#pragma once
// Block devices in memory, with faults that a test chooses for each operation.
#include <forebay/io/block_device.hpp>
#include <forebay/runtime/waiter.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace forebay::test {

/// What a device is asked to do, for a test to decide about.
struct DiskOperation {
  bool is_write = false;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::uint64_t number = 0;  ///< Of all operations of this disk, from 0.
};

enum class Fault {
  none,
  error,  ///< EIO; nothing is moved.
  torn,   ///< The first half (of 4 KiB units) is moved, then EIO.
  flip,   ///< One bit of what is moved is wrong; success is reported.
  lost,   ///< A write that is reported and never made. A read: none.
  delay,  ///< Waits at the disk's gate, then succeeds.
};

/// Closed: operations wait here. Any thread.
class Gate {
 public:
  void close();
  void open();
  /// Operations that wait here now.
  std::size_t waiting() const;
  Task<void> pass();

 private:
  mutable std::mutex mutex_;
  bool closed_ = false;
  std::vector<std::shared_ptr<runtime::Waiter>> waiters_;
};

/// The bytes: they outlive the devices that were opened on them, as a file does.
class MemoryDisk {
 public:
  explicit MemoryDisk(std::uint64_t size_bytes) : bytes(size_bytes) {}

  /// Guards all below while devices are in use.
  std::mutex mutex;
  std::vector<std::byte> bytes;
  std::function<Fault(const DiskOperation&)> fault;  ///< None: no faults.
  std::uint64_t operations = 0;
  std::uint64_t reads = 0;
  std::uint64_t writes = 0;
  /// With `keep_log`: every write that was made, in the order of completion.
  struct Write {
    std::uint64_t offset = 0;
    std::vector<std::byte> data;
  };
  bool keep_log = false;
  std::vector<Write> log;

  Gate gate;
};

/// Obeys the contract of BlockDevice, and asserts that its callers do.
class MemoryDevice final : public io::BlockDevice {
 public:
  MemoryDevice(std::shared_ptr<MemoryDisk> disk, std::string path)
      : disk_{std::move(disk)}, size_bytes_{disk_->bytes.size()}, path_{std::move(path)} {}

  Task<Result<void>> read(std::uint64_t offset, std::vector<iovec> parts) override;
  Task<Result<void>> write(std::uint64_t offset, std::vector<iovec> parts) override;
  std::uint64_t size_bytes() const override { return size_bytes_; }
  const std::string& path() const override { return path_; }

 private:
  Task<Result<void>> move(bool is_write, std::uint64_t offset, std::vector<iovec> parts);

  std::shared_ptr<MemoryDisk> disk_;
  std::uint64_t size_bytes_;
  std::string path_;
};

/// Opens disks by name; a name that is not there is made with the size asked for.
class MemoryEngine final : public io::IoEngine {
 public:
  std::map<std::string, std::shared_ptr<MemoryDisk>> disks;

  std::string_view name() const override { return "memory"; }
  Result<std::unique_ptr<io::BlockDevice>> open(const std::string& path,
                                                std::uint64_t size_bytes) override;
};

}  // namespace forebay::test
