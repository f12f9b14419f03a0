#pragma once
// A slab file or raw device behind one of the transports.
#include "io/file.hpp"
#include "io/transport.hpp"

#include <forebay/base/units.hpp>
#include <forebay/io/block_device.hpp>

#include <atomic>

namespace forebay::io {

/// Any worker. Outlived by its transport.
class FileDevice final : public BlockDevice {
 public:
  FileDevice(Transport& transport, OpenFile file)
      : transport_{transport}, lane_{transport.add_lane()}, file_{std::move(file)} {}

  Task<Result<void>> read(std::uint64_t offset, std::vector<iovec> parts) override;
  Task<Result<void>> write(std::uint64_t offset, std::vector<iovec> parts) override;
  std::uint64_t size_bytes() const override { return file_.size_bytes; }
  const std::string& path() const override { return file_.path; }

 private:
  Task<Result<void>> transfer(bool is_write, std::uint64_t offset, std::vector<iovec> parts);
  void report(bool is_write, std::uint64_t offset, int error);

  Transport& transport_;
  unsigned lane_;
  OpenFile file_;
  std::atomic<Clock::rep> quiet_until_{0};  ///< No failure is logged before.
};

}  // namespace forebay::io
