#include "cache/block_index.hpp"

#include <algorithm>
#include <utility>

namespace forebay::cache {

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
  if (it == shard.blocks.end())
    return std::nullopt;
  return it->second;
}

bool BlockIndex::contains(const Object& object, std::uint32_t block) const {
  const Hash128 hash = block_hash(object, block);
  const BlockShard& shard = block_shard(hash);
  const std::lock_guard lock{shard.mutex};
  return shard.blocks.contains(hash);
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
  const Hash128 hash = block_hash(*stored.object, stored.block);
  const ObjectPtr object = stored.object;
  const std::uint32_t block = stored.block;
  {
    BlockShard& shard = block_shard(hash);
    const std::lock_guard lock{shard.mutex};
    if (!shard.blocks.try_emplace(hash, std::move(stored)).second)
      return false;
  }
  note_present(object, block);
  return true;
}

bool BlockIndex::erase(const Object& object, std::uint32_t block, std::uint32_t device,
                       std::uint32_t slot) {
  const Hash128 hash = block_hash(object, block);
  {
    BlockShard& shard = block_shard(hash);
    const std::lock_guard lock{shard.mutex};
    const auto it = shard.blocks.find(hash);
    if (it == shard.blocks.end() || it->second.device != device || it->second.slot != slot)
      return false;
    shard.blocks.erase(it);
  }
  note_absent(object, block);
  return true;
}

void BlockIndex::note_present(const ObjectPtr& object, std::uint32_t block) {
  const Hash128 name = name_of(object->identity());
  NameShard& shard = name_shard(name);
  const std::lock_guard lock{shard.mutex};
  auto& versions = shard.names[name];
  const auto same = [&object](const Version& v) { return v.object->hash() == object->hash(); };
  auto version = std::find_if(versions.begin(), versions.end(), same);
  if (version == versions.end())
    version = versions.insert(versions.end(), Version{object, {}, 0});
  if (version->present.size() <= block)
    version->present.resize(block + 1);
  version->count += version->present[block] ? 0 : 1;
  version->present[block] = true;
}

void BlockIndex::note_absent(const Object& object, std::uint32_t block) {
  const Hash128 name = name_of(object.identity());
  NameShard& shard = name_shard(name);
  const std::lock_guard lock{shard.mutex};
  const auto it = shard.names.find(name);
  if (it == shard.names.end())
    return;
  auto& versions = it->second;
  const auto same = [&object](const Version& v) { return v.object->hash() == object.hash(); };
  const auto version = std::find_if(versions.begin(), versions.end(), same);
  if (version == versions.end() || version->present.size() <= block || !version->present[block])
    return;
  version->present[block] = false;
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

std::vector<StoredBlock> BlockIndex::superseded_by(const Object& current) const {
  const Hash128 name = name_of(current.identity());
  std::vector<Version> others;
  {
    const NameShard& shard = name_shard(name);
    const std::lock_guard lock{shard.mutex};
    const auto it = shard.names.find(name);
    if (it == shard.names.end())
      return {};
    for (const Version& version : it->second) {
      const std::string& id = version.object->identity().version_id;
      if (version.object->hash() != current.hash() && (id.empty() || id == "null"))
        others.push_back(version);
    }
  }
  return stored_blocks(others);
}

std::vector<StoredBlock> BlockIndex::with_prefix(std::string_view bucket,
                                                 std::string_view prefix) const {
  std::vector<Version> matches;
  for (std::size_t i = 0; i < kShards; ++i) {
    const std::lock_guard lock{name_shards_[i].mutex};
    for (const auto& [hash, versions] : name_shards_[i].names) {
      const Identity& identity = versions.front().object->identity();
      if (identity.bucket == bucket && identity.key.starts_with(prefix))
        matches.insert(matches.end(), versions.begin(), versions.end());
    }
  }
  return stored_blocks(matches);
}

}  // namespace forebay::cache
