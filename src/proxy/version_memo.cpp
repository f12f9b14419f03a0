#include "proxy/version_memo.hpp"

#include <utility>

namespace forebay::proxy {

std::optional<VersionMemo::Seen> VersionMemo::find(std::string_view bucket, std::string_view key,
                                                   std::string_view selector) {
  const cache::Hash128 hash = cache::name_hash(selector, bucket, key);
  Shard& shard = shard_of(hash);
  const std::lock_guard lock{shard.mutex};
  const auto it = shard.entries.find(hash);
  if (it == shard.entries.end())
    return std::nullopt;
  return it->second.seen;
}

void VersionMemo::note(std::string_view bucket, std::string_view key, std::string_view selector,
                       cache::ObjectPtr object) {
  const cache::Hash128 hash = cache::name_hash(selector, bucket, key);
  Shard& shard = shard_of(hash);
  const std::lock_guard lock{shard.mutex};
  const auto [it, is_new] = shard.entries.try_emplace(hash);
  if (is_new)
    shard.order.push_front(hash);
  else
    shard.order.splice(shard.order.begin(), shard.order, it->second.place);
  it->second = {{std::move(object)}, shard.order.begin()};
  if (shard.entries.size() > kEntriesPerShard) {
    shard.entries.erase(shard.order.back());
    shard.order.pop_back();
  }
}

std::optional<VersionMemo::Asking> VersionMemo::ask_first(std::string_view bucket,
                                                          std::string_view key,
                                                          std::string_view selector) {
  const cache::Hash128 hash = cache::name_hash(selector, bucket, key);
  Shard& shard = shard_of(hash);
  const std::lock_guard lock{shard.mutex};
  if (!shard.asking.insert(hash).second)
    return std::nullopt;
  return Asking{*this, hash};
}

VersionMemo::Asking::~Asking() {
  if (memo_ == nullptr)
    return;
  Shard& shard = memo_->shard_of(hash_);
  const std::lock_guard lock{shard.mutex};
  shard.asking.erase(hash_);
}

}  // namespace forebay::proxy
