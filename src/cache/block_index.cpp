#include "cache/block_index.hpp"

#include <forebay/base/assert.hpp>

#include <algorithm>
#include <utility>

namespace forebay::cache {
namespace {

/// Whether both are one version. A hash that both have is nearly that.
bool is_same(const Object& a, const Object& b) {
  return &a == &b || (a.hash() == b.hash() && a.identity() == b.identity());
}

}  // namespace

BlockIndex::BlockIndex()
    : block_shards_{std::make_unique<BlockShard[]>(kShards)},
      name_shards_{std::make_unique<NameShard[]>(kShards)} {}

BlockIndex::~BlockIndex() = default;

Hash128 BlockIndex::name_of(const Identity& identity) {
  return name_hash(identity.origin, identity.bucket, identity.key);
}

std::optional<StoredBlock> BlockIndex::find(const Object& object, std::uint32_t block) const {
  const Hash128 hash = block_hash(object, block);
  const BlockShard& shard = block_shard(hash);
  const std::lock_guard lock{shard.mutex};
  const auto it = shard.blocks.find(hash);
  if (it == shard.blocks.end() || !is_same(*it->second.object, object))
    return std::nullopt;
  return it->second;
}

bool BlockIndex::contains(const Object& object, std::uint32_t block) const {
  return device_of(object, block).has_value();
}

std::optional<std::uint32_t> BlockIndex::device_of(const Object& object,
                                                   std::uint32_t block) const {
  const Hash128 hash = block_hash(object, block);
  const BlockShard& shard = block_shard(hash);
  const std::lock_guard lock{shard.mutex};
  const auto it = shard.blocks.find(hash);
  if (it == shard.blocks.end())
    return std::nullopt;
  return it->second.device;
}

bool BlockIndex::knows(std::string_view origin, std::string_view bucket,
                       std::string_view key) const {
  const Hash128 name = name_hash(origin, bucket, key);
  const NameShard& shard = name_shard(name);
  const std::lock_guard lock{shard.mutex};
  return shard.names.contains(name);
}

/// With the shard's mutex held.
const BlockIndex::Version* BlockIndex::find_version(const NameShard& shard, const Hash128& name,
                                                    const Object& object) {
  const auto it = shard.names.find(name);
  if (it == shard.names.end())
    return nullptr;
  const auto& versions = it->second;
  const auto version = std::find_if(versions.begin(), versions.end(), [&object](const Version& v) {
    return is_same(*v.object, object);
  });
  return version == versions.end() ? nullptr : &*version;
}

std::uint32_t BlockIndex::stored_count(const Object& object) const {
  const Hash128 name = name_of(object.identity());
  const NameShard& shard = name_shard(name);
  const std::lock_guard lock{shard.mutex};
  const Version* version = find_version(shard, name, object);
  return version == nullptr ? 0 : version->count;
}

std::uint32_t BlockIndex::first_missing(const Object& object, std::uint32_t first,
                                        std::uint32_t end) const {
  const Hash128 name = name_of(object.identity());
  const NameShard& shard = name_shard(name);
  const std::lock_guard lock{shard.mutex};
  const Version* version = find_version(shard, name, object);
  while (version != nullptr && first < end && first < version->present.size() &&
         version->present[first])
    ++first;
  return first;
}

ObjectPtr BlockIndex::canonical(Identity identity) {
  const Hash128 name = name_of(identity);
  {
    const NameShard& shard = name_shard(name);
    const std::lock_guard lock{shard.mutex};
    if (const auto it = shard.names.find(name); it != shard.names.end()) {
      for (const Version& version : it->second) {
        if (version.object->identity() == identity)
          return version.object;
      }
    }
  }
  return std::make_shared<const Object>(std::move(identity));
}

bool BlockIndex::insert(StoredBlock stored) {
  const Hash128 name = name_of(stored.object->identity());
  const Hash128 hash = block_hash(*stored.object, stored.block);
  NameShard& names = name_shard(name);
  const std::lock_guard name_lock{names.mutex};
  BlockShard& blocks = block_shard(hash);
  const std::lock_guard block_lock{blocks.mutex};
  const auto [it, inserted] = blocks.blocks.try_emplace(hash, std::move(stored));
  if (inserted)
    note_present(names, name, it->second);
  return inserted;
}

std::optional<StoredBlock> BlockIndex::take(const StoredBlock& stored) {
  const Hash128 name = name_of(stored.object->identity());
  const Hash128 hash = block_hash(*stored.object, stored.block);
  NameShard& names = name_shard(name);
  const std::lock_guard name_lock{names.mutex};
  BlockShard& blocks = block_shard(hash);
  const std::lock_guard block_lock{blocks.mutex};
  const auto it = blocks.blocks.find(hash);
  if (it == blocks.blocks.end() || it->second.device != stored.device ||
      it->second.sequence != stored.sequence)
    return std::nullopt;
  note_absent(names, name, it->second);
  StoredBlock taken = std::move(it->second);
  blocks.blocks.erase(it);
  return taken;
}

/// With the shard's mutex held.
void BlockIndex::note_present(NameShard& shard, const Hash128& name, const StoredBlock& stored) {
  auto& versions = shard.names[name];
  const auto same = [&stored](const Version& v) { return is_same(*v.object, *stored.object); };
  auto version = std::find_if(versions.begin(), versions.end(), same);
  if (version == versions.end())
    version = versions.insert(versions.end(), Version{stored.object, {}, 0});
  if (version->present.size() <= stored.block)
    version->present.resize(stored.block + 1);
  version->present[stored.block] = true;
  ++version->count;
}

/// With the shard's mutex held. The block is there.
void BlockIndex::note_absent(NameShard& shard, const Hash128& name, const StoredBlock& stored) {
  const auto it = shard.names.find(name);
  ASSERT(it != shard.names.end());
  auto& versions = it->second;
  const auto same = [&stored](const Version& v) { return is_same(*v.object, *stored.object); };
  const auto version = std::find_if(versions.begin(), versions.end(), same);
  ASSERT(version != versions.end() && version->present[stored.block]);
  version->present[stored.block] = false;
  if (--version->count != 0)
    return;
  versions.erase(version);
  if (versions.empty())
    shard.names.erase(it);
}

std::vector<StoredBlock> BlockIndex::stored_blocks(const std::vector<Version>& versions) const {
  std::vector<StoredBlock> blocks;
  for (const Version& version : versions) {
    for (std::uint32_t block = 0; block < version.present.size(); ++block) {
      if (!version.present[block])
        continue;
      if (auto stored = find(*version.object, block); stored)
        blocks.push_back(*std::move(stored));
    }
  }
  return blocks;
}

std::vector<ObjectPtr> BlockIndex::superseded_by(const Object& current) const {
  const Hash128 name = name_of(current.identity());
  std::vector<ObjectPtr> others;
  const NameShard& shard = name_shard(name);
  const std::lock_guard lock{shard.mutex};
  const auto it = shard.names.find(name);
  if (it == shard.names.end())
    return others;
  for (const Version& version : it->second) {
    if (!is_same(*version.object, current) && !version.object->identity().has_version())
      others.push_back(version.object);
  }
  return others;
}

std::vector<StoredBlock> BlockIndex::blocks_of(const Object& version) const {
  const Hash128 name = name_of(version.identity());
  std::vector<Version> found;
  {
    const NameShard& shard = name_shard(name);
    const std::lock_guard lock{shard.mutex};
    if (const Version* known = find_version(shard, name, version); known != nullptr)
      found.push_back(*known);
  }
  return stored_blocks(found);
}

std::vector<StoredBlock> BlockIndex::with_prefix(std::size_t part, std::string_view bucket,
                                                 std::string_view prefix) const {
  std::vector<Version> matches;
  {
    const std::lock_guard lock{name_shards_[part].mutex};
    for (const auto& [hash, versions] : name_shards_[part].names) {
      const Identity& identity = versions.front().object->identity();
      if (identity.bucket == bucket && identity.key.starts_with(prefix))
        matches.insert(matches.end(), versions.begin(), versions.end());
    }
  }
  return stored_blocks(matches);
}

}  // namespace forebay::cache
