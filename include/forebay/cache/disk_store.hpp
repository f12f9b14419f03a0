#pragma once
// Blocks on NVMe: the slabs, their index, LRU, admission and recovery behind one door.
#include <forebay/cache/identity.hpp>
#include <forebay/cache/purge_list.hpp>
#include <forebay/io/block_device.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace forebay::cache {

/// CRC32C of each page of a block (the last one over its valid bytes only; zero for absent pages).
using PageChecksums = std::array<std::uint32_t, kPagesPerBlock>;

std::uint32_t page_checksum(const std::byte* data, std::size_t size);

struct DeviceConfig {
  std::string path;
  std::uint64_t size_bytes = 0;
};

struct DiskConfig {
  std::vector<DeviceConfig> devices;
  double device_writes_per_day =
      3.0;  ///< Rewrites of live slots, in device sizes a day (token bucket); 0 never overwrites.
  double prestage_max_share = 0.5;  ///< Of each device's slots, for blocks nobody has read yet.
  milliseconds prestage_evict_older_than{
      600'000};  ///< What was used within this time gives way to nothing pre-staged.
  milliseconds device_stall{
      500};  ///< A device on which nothing ends for this long is passed over until it answers.
};

/// Who wants a block that is written: `hot`: a reader; `cold`: nobody yet, it is pre-staged, which
/// takes a bounded share and evicts nothing that was used lately.
enum class Placement { hot, cold };

/// What a write of one block would find.
enum class Room {
  yes,            ///< A free slot, or a victim and a token to overwrite it.
  no_device,      ///< None that works.
  share_spent,    ///< Placement::cold: of prestage_max_share nothing is left.
  recently_used,  ///< Every block is being read, or (Placement::cold) was used lately.
  no_token,       ///< device_writes_per_day.
};

class DiskStore;

/// Keeps what is stored of a version, though another has superseded it, as long as it lives, which
/// is no longer than the store does. Empty where there is no store.
class Hold {
 public:
  Hold() = default;
  Hold(DiskStore& store, ObjectPtr version);
  Hold(Hold&& other) noexcept = default;
  Hold& operator=(Hold&& other) noexcept;
  ~Hold() { end(); }

 private:
  void end();

  DiskStore* store_ = nullptr;
  ObjectPtr version_;  ///< Null where nothing is held.
};

/// What a purge has done. The unreached are in no index any more and are not served, but a restart
/// may find them: their headers are erased when the device can be written.
struct Purged {
  struct Unreached {
    std::string device;
    std::uint64_t blocks = 0;
  };
  std::size_t blocks = 0;
  std::vector<Unreached> unreached;
};

/// All devices of the node. A device that stalls, fails or cannot be written costs nothing but what
/// it holds: frames are charged to each device's part of the pool's shares. Calls on workers'
/// threads; any of them.
class DiskStore {
 public:
  /// Opens or formats every device and starts recovery tasks on the workers; returns before they
  /// end. A slab of another format, other constants or another size: a file is formatted anew with
  /// a warning, a raw device is Errc::invalid_config.
  static Result<std::unique_ptr<DiskStore>> open(const DiskConfig& config, io::IoEngine& engine,
                                                 io::BufferPool& pool,
                                                 runtime::WorkerPool& workers);
  virtual ~DiskStore() = default;

  /// Whether that block is stored, on a device that can be read now.
  virtual bool contains(const Object& object, std::uint32_t block) const = 0;
  /// Whether any block of any version of that name is.
  virtual bool knows(std::string_view origin, std::string_view bucket,
                     std::string_view key) const = 0;

  /// Frames to read pages of that block into ahead of need, of its device's part of the share for
  /// speculation. nullopt where they are not to be had at once, or the device is not.
  virtual std::optional<io::Lease> try_frames(const Object& object, std::uint32_t block,
                                              std::size_t count) = 0;
  /// Reads `count` pages from `first_page` on and verifies each against its checksum: into
  /// `frames`, or, where there are none, into such of the device's part of the share for reads,
  /// which are waited for. Touches the LRU. Errc::not_found (not stored, or evicted meanwhile),
  /// Errc::corrupt (the block is dropped from the index), Errc::device_failed (counted; after a
  /// burst the device is marked bad and its blocks are forgotten), Errc::overloaded (no frames in
  /// time, or the device stalls). It returns when a stall is noticed: the frames stay with the
  /// operation.
  virtual Task<Result<io::Lease>> read(ObjectPtr object, std::uint32_t block,
                                       std::uint32_t first_page, std::uint32_t count,
                                       std::optional<io::Lease> frames, Deadline deadline) = 0;

  /// Marks the block as just used; nothing where it is not stored.
  virtual void touch(const Object& object, std::uint32_t block) = 0;

  /// What a write of one block would find now. Reserves nothing.
  virtual Room room(Placement placement) const = 0;
  bool admits(Placement placement = Placement::hot) const { return room(placement) == Room::yes; }
  /// How many more blocks, at most `wanted`, may be pre-staged as far as their share goes.
  virtual std::uint64_t room_ahead(std::uint64_t wanted) const = 0;

  /// How many blocks of that version are stored.
  virtual std::uint32_t stored_count(const Object& object) const = 0;
  /// The first block of [first, end) that is not stored, or `end`. Some nanoseconds for each block.
  virtual std::uint32_t first_missing(const Object& object, std::uint32_t first,
                                      std::uint32_t end) const = 0;

  /// A device to write one block to, and the block's frames charged to its part of the share of
  /// slot writes.
  struct Admission {
    std::uint32_t device = 0;
    io::Lease lease;
  };
  /// Waits, if need be, for room on the device that has most. Errc::overloaded when the deadline
  /// passes or no device admits.
  virtual Task<Result<Admission>> admit(std::vector<io::PageRef> pages, Placement placement,
                                        Deadline deadline) = 0;

  /// For a write to come: made before a purge can take the block for one that is here.
  virtual PurgeList::Watch watch_purges() = 0;
  /// Writes one whole block (header, pages and checksums in one write) and then shows it in the
  /// index. Errc::overloaded when no slot or token is to be had, Errc::device_failed otherwise:
  /// then nothing has given way to it. A block already stored is success without a write; so is one
  /// that was purged meanwhile, as `purges` tells, and its header is erased again.
  virtual Task<Result<void>> write(ObjectPtr object, std::uint32_t block, Admission admission,
                                   PageChecksums checksums, Placement placement,
                                   PurgeList::Watch purges) = 0;

  /// Frees what is stored of every other version of the same name whose version id is empty or
  /// "null": at once, or when its last hold ends.
  virtual void drop_superseded(const Object& current) = 0;
  /// Made before its blocks are looked for. Held blocks give way to others as ever.
  Hold hold(ObjectPtr version) { return {*this, std::move(version)}; }
  /// Frees every block of keys that start with `prefix` in `bucket` and erases their headers, so
  /// that a restart does not bring them back. Does not wait for a device that cannot be written.
  virtual Task<Purged> purge(std::string bucket, std::string prefix) = 0;

  struct Status {
    std::string path;
    std::uint64_t slots = 0;
    std::uint64_t used = 0;
    std::uint64_t scanned = 0;  ///< == slots once recovered
    bool readable = true;       ///< Neither given up after errors nor stalled.
    bool writable = true;       ///< Readable, and the last write has succeeded.
  };
  virtual std::vector<Status> status() const = 0;
  /// Asks the recovery tasks to end soon; they are joined by the workers' drain.
  virtual void stop() = 0;

 private:
  friend class Hold;
  virtual void begin_hold(const Object& version) = 0;
  virtual void end_hold(const Object& version) = 0;
};

}  // namespace forebay::cache
