#pragma once
// The part cache as the proxy sees it: readers that take bytes from RAM, disk or a fill, and fills
// that nobody owns.
#include <forebay/cache/disk_store.hpp>
#include <forebay/cache/identity.hpp>
#include <forebay/io/buffer_pool.hpp>
#include <forebay/runtime/deadline.hpp>
#include <forebay/runtime/waiter.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace forebay::cache {

class BackgroundFills;
class Fill;
class FillTraffic;
class RamTier;
struct FillStart;
struct Interest;

/// Why bytes are asked of the origin; also the label of forebay_origin_requests_total.
enum class FillReason { demand, background, prestage };

/// An open body from the origin. One task at a time; destroying it closes or returns its
/// connection.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// At least one byte, or 0 at the announced end. Errc::truncated, Errc::timeout, Errc::closed
  /// otherwise.
  virtual Task<Result<std::size_t>> read(std::span<std::byte> buffer, Deadline deadline) = 0;
};

/// Asks the origin on one caller's behalf. Shared by the reader and by fills it has an interest in;
/// any worker.
class Fetcher {
 public:
  virtual ~Fetcher() = default;
  /// The body of bytes [offset, offset + length) of exactly that version; `queue` is until when it
  /// may wait for a connection. Errc::refused (not with
  /// this caller's key), Errc::changed (another version is current, and this one cannot be had),
  /// Errc::unavailable, timeout or overloaded.
  virtual Task<Result<std::unique_ptr<ByteSource>>> open(ObjectPtr object, std::uint64_t offset,
                                                         std::uint64_t length, FillReason reason,
                                                         Deadline queue) = 0;
  /// Whose key it is: two fetchers of one caller count as one where a refusal is retried.
  virtual std::string_view caller() const = 0;
};
using FetcherPtr = std::shared_ptr<Fetcher>;

struct CacheConfig {
  DiskConfig disk;
  milliseconds fill_stall{
      10'000};  ///< Without a byte for this long a fill's origin request is replaced, once.
  milliseconds wait{2'000};  ///< How long a fill or a disk read waits for its turn and for frames.
  std::size_t background_fills = 2;  ///< Blocks at once that are filled for their second touch.
};

/// Bytes in frames. Holding one pins frames: drop it before waiting on a socket.
class View {
 public:
  static constexpr std::size_t kMaxParts = 8;

  explicit operator bool() const { return count_ != 0; }
  std::size_t size() const { return size_; }
  std::span<const std::span<const std::byte>> parts() const { return {parts_.data(), count_}; }

 private:
  friend class RamTier;
  void add(io::PageRef page, std::size_t offset, std::size_t size);

  std::array<io::PageRef, kMaxParts> pages_;
  std::array<std::span<const std::byte>, kMaxParts> parts_;
  std::size_t count_ = 0;
  std::size_t size_ = 0;
};

/// Where a reader's bytes came from, for the cache status and the metrics.
struct ReadTally {
  std::uint64_t cached =
      0;  ///< Bytes of blocks that were in RAM or on disk when the reader came to them.
  std::uint64_t filled = 0;  ///< Bytes that came through a fill the reader waited for.
};

/// Blocks of a range by where they are.
struct Coverage {
  std::uint32_t blocks = 0;
  std::uint32_t cached = 0;   ///< In RAM or on disk.
  std::uint32_t filling = 0;  ///< On their way from the origin.
};

/// Any worker's thread. Destroyed after the workers have drained.
class BlockCache {
 public:
  /// Opens the devices. `engine` may be null where no device is configured.
  static Result<std::unique_ptr<BlockCache>> create(const CacheConfig& config, io::BufferPool& pool,
                                                    io::IoEngine* engine,
                                                    runtime::WorkerPool& workers);
  ~BlockCache();

  /// How much of [first, last] is here. Looks at its first 256 blocks (1 GiB) at most: enough to
  /// name a status.
  Coverage coverage(const Object& object, std::uint64_t first, std::uint64_t last) const;
  /// Notes a read of a small range of a cold block, which is queued to be filled from its second
  /// touch on: below demand, a few at once, and dropped where too many wait.
  void note_cold_read(const ObjectPtr& object, std::uint32_t block, const FetcherPtr& fetcher);

  /// Fills what is missing of blocks [first, end) while no reader waits for a fill (see
  /// FillTraffic), and returns when that has been tried: false where a fill failed. No reader is
  /// needed to keep it going.
  Task<bool> ensure(ObjectPtr object, std::uint32_t first_block, std::uint32_t end_block,
                    FetcherPtr fetcher, FillReason reason);
  /// Reads the first bytes at `offset` into RAM if a device holds them; never waits. While a lookup
  /// is in flight.
  void speculate(const ObjectPtr& object, std::uint64_t offset, std::uint64_t length);

  /// Whether a device holds a block of any version of that name: all that is left of what was known
  /// of it before a restart.
  bool knows(std::string_view origin, std::string_view bucket, std::string_view key) const;

  /// Frees what devices store of versions that `current` has replaced, once nobody holds them.
  void drop_superseded(const Object& current);
  /// Before coverage() promises its bytes to a reader, who keeps it.
  Hold hold(const ObjectPtr& version);
  Task<Purged> purge(std::string bucket, std::string prefix);

  DiskStore* disk() { return disk_.get(); }
  void stop();

 private:
  friend class RangeReader;
  BlockCache(const CacheConfig& config, io::BufferPool& pool, std::unique_ptr<DiskStore> disk);

  struct Touches;
  std::size_t read_ahead() const;
  std::size_t piece_size() const;
  /// Has the first absent pages of [first_page, end_page) of a stored block read, one piece at
  /// most. The end of what is here, on its way or asked for: end_page where nothing is absent.
  std::uint32_t start_load(const ObjectPtr& object, std::uint32_t block, std::uint32_t first_page,
                           std::uint32_t end_page, io::Share share, Deadline queue);
  /// A fill that has claimed the missing blocks from `first_block` on, up to the first that is not
  /// missing or `end_block`; null where that is none. launch() must follow.
  std::shared_ptr<Fill> claim_run(const ObjectPtr& object, std::uint32_t first_block,
                                  std::uint32_t end_block, FillReason reason);
  void launch(const std::shared_ptr<Fill>& fill, FillStart start);
  bool second_touch(const Object& object, std::uint32_t block);
  bool missing(const Object& object, std::uint32_t block) const;

  CacheConfig config_;
  io::BufferPool& pool_;
  std::unique_ptr<RamTier> ram_;
  std::unique_ptr<DiskStore> disk_;
  std::unique_ptr<Touches> touches_;
  std::unique_ptr<FillTraffic> traffic_;
  std::unique_ptr<BackgroundFills> background_;
  std::atomic<std::size_t> readers_{0};
};

/// Reads [first, end) of one version in order, for one response. One worker. Holds no frame between
/// calls.
class RangeReader {
 public:
  /// `queue`: until when it may wait for its turn and for frames before its first byte.
  RangeReader(BlockCache& cache, ObjectPtr object, std::uint64_t first, std::uint64_t end,
              FetcherPtr fetcher, Deadline queue);
  RangeReader(const RangeReader&) = delete;
  RangeReader& operator=(const RangeReader&) = delete;
  ~RangeReader();

  /// Makes an already open body of the whole object a fill (of the first GiB, of larger ones), with
  /// this reader interested in it. Dropped, which closes its connection, where the first block is
  /// present or being filled already; returned where no fill may begin now.
  std::unique_ptr<ByteSource> adopt(std::unique_ptr<ByteSource> source);

  std::uint64_t position() const { return position_; }
  /// Until when what is wanted at position() may wait for its turn, here or elsewhere. From the
  /// first byte on each wait has CacheConfig::wait.
  Deadline queue() const { return queue_; }
  bool done() const { return position_ == end_; }

  /// Bytes at position(), if they are in RAM now: the fast path, no suspension.
  View try_next();
  /// The same, bringing them in. Errc::changed and Errc::refused come from the fill; any other
  /// error means that the cache cannot serve these bytes now (no turn or no frames until queue(), a
  /// device or a fill failed, a fill that will bring them is far behind): the caller asks the
  /// origin itself from position() on.
  Task<Result<View>> next(Deadline deadline);
  /// `bytes` of the last view have been sent.
  void advance(std::size_t bytes);

  const ReadTally& tally() const { return tally_; }

 private:
  void bring_in(std::uint32_t block);
  void read_ahead();
  bool ask_ahead(std::uint64_t until);
  void start_fill(std::uint32_t block, std::uint32_t end_block, FillStart start);
  std::uint32_t run_end(std::uint32_t block) const;
  void follow(const std::shared_ptr<Fill>& fill);
  void unfollow_finished();
  std::optional<Error> fill_failure(std::uint32_t block) const;
  void note_source(std::uint32_t block, bool filling, bool touch);

  BlockCache& cache_;
  ObjectPtr object_;
  std::uint64_t position_;
  std::uint64_t end_;
  FetcherPtr fetcher_;
  Deadline queue_;
  bool has_moved_ = false;  ///< Since queue_ was set.
  /// The fills this reader has an interest in: of its block, and of the run after it.
  std::vector<std::pair<std::shared_ptr<Fill>, std::shared_ptr<Interest>>> followed_;
  std::uint64_t ahead_until_;        ///< Everything up to here has been asked for.
  std::uint32_t noted_block_ = ~0U;  ///< The block that block_was_cached_ speaks of.
  bool block_was_cached_ = false;
  ReadTally tally_;
};

}  // namespace forebay::cache
