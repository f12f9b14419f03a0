#pragma once
// The version of each object that this node saw last: a hint that saves a round trip, never an
// answer.
#include <forebay/cache/identity.hpp>

#include <array>
#include <list>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>

namespace forebay::proxy {

/// Bounded; the least recently noted is forgotten. Any thread.
class VersionMemo {
 public:
  /// What was seen: an object worth caching, or (null) one that is not.
  struct Seen {
    cache::ObjectPtr object;
  };

  /// `selector`: the versionId asked for, empty for the current one.
  std::optional<Seen> find(std::string_view bucket, std::string_view key,
                           std::string_view selector);
  void note(std::string_view bucket, std::string_view key, std::string_view selector,
            cache::ObjectPtr object);

 private:
  static constexpr std::size_t kShards = 16;
  static constexpr std::size_t kEntriesPerShard = 8192;

  struct Entry {
    Seen seen;
    std::list<cache::Hash128>::iterator place;
  };
  struct Shard {
    std::mutex mutex;
    std::list<cache::Hash128> order;  ///< Most recently noted first.
    std::unordered_map<cache::Hash128, Entry> entries;
  };
  std::array<Shard, kShards> shards_;
};

}  // namespace forebay::proxy
