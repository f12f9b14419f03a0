#pragma once
// Which block is in which slot.
#include <forebay/cache/disk_store.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace forebay::cache {

/// Where a block is stored, and what its pages must sum to.
struct StoredBlock {
  ObjectPtr object;
  std::uint32_t block = 0;
  std::uint32_t device = 0;
  std::uint32_t slot = 0;
  std::uint64_t sequence = 0;  ///< Of the write: no other of that device has the same.
  PageChecksums checksums{};
};

/// Two tables of 64 mutex-guarded shards: blocks by identity, and versions by name. Locks are held
/// for map operations only; who changes both tables locks the name's shard, then the block's. Any
/// thread.
class BlockIndex {
 public:
  BlockIndex();
  ~BlockIndex();

  std::optional<StoredBlock> find(const Object& object, std::uint32_t block) const;
  bool contains(const Object& object, std::uint32_t block) const;
  /// Where the block is stored.
  std::optional<std::uint32_t> device_of(const Object& object, std::uint32_t block) const;
  /// Whether any block of any version of that name is stored.
  bool knows(std::string_view origin, std::string_view bucket, std::string_view key) const;

  std::uint32_t stored_count(const Object& object) const;
  /// The first block of [first, end) that is not stored, or `end`.
  std::uint32_t first_missing(const Object& object, std::uint32_t first, std::uint32_t end) const;

  /// The one object that stands for this identity here, so that its blocks share it.
  ObjectPtr canonical(Identity identity);
  /// False, and nothing changes, where the block is stored already.
  bool insert(StoredBlock stored);
  /// Removes the block if it is still the one that this write stored.
  bool erase(const StoredBlock& stored) { return take(stored).has_value(); }
  /// The same, and gives it back with its checksums.
  std::optional<StoredBlock> take(const StoredBlock& stored);

  /// Other versions of the same name whose version id is empty or "null".
  std::vector<ObjectPtr> superseded_by(const Object& current) const;
  std::vector<StoredBlock> blocks_of(const Object& version) const;
  /// Blocks of keys that begin with `prefix`, of one of kParts parts of the table: who goes through
  /// all of them lets others have a turn in between.
  std::vector<StoredBlock> with_prefix(std::size_t part, std::string_view bucket,
                                       std::string_view prefix) const;
  static constexpr std::size_t kParts = 64;

 private:
  /// A version of which some block is stored.
  struct Version {
    ObjectPtr object;
    std::vector<bool> present;  ///< Grows to the highest block stored.
    std::uint32_t count = 0;
  };
  struct alignas(64) BlockShard {
    mutable std::mutex mutex;
    std::unordered_map<Hash128, StoredBlock> blocks;
  };
  struct alignas(64) NameShard {
    mutable std::mutex mutex;
    std::unordered_map<Hash128, std::vector<Version>> names;
  };
  static constexpr std::size_t kShards = kParts;

  BlockShard& block_shard(const Hash128& hash) const { return block_shards_[hash.high % kShards]; }
  NameShard& name_shard(const Hash128& hash) const { return name_shards_[hash.high % kShards]; }
  static Hash128 name_of(const Identity& identity);
  static const Version* find_version(const NameShard& shard, const Hash128& name,
                                     const Object& object);
  static void note_present(NameShard& shard, const Hash128& name, const StoredBlock& stored);
  static void note_absent(NameShard& shard, const Hash128& name, const StoredBlock& stored);
  /// What find() says of each block marked present in the versions.
  std::vector<StoredBlock> stored_blocks(const std::vector<Version>& versions) const;

  std::unique_ptr<BlockShard[]> block_shards_;
  std::unique_ptr<NameShard[]> name_shards_;
};

}  // namespace forebay::cache
