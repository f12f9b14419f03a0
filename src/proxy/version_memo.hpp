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
#include <unordered_set>
#include <utility>

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

  /// Held while its owner asks the origin about an object that nothing is known of. Must not
  /// outlive the memo.
  class Asking {
   public:
    Asking(VersionMemo& memo, cache::Hash128 hash) : memo_{&memo}, hash_{hash} {}
    Asking(Asking&& other) noexcept
        : memo_{std::exchange(other.memo_, nullptr)}, hash_{other.hash_} {}
    Asking& operator=(Asking other) noexcept {
      std::swap(memo_, other.memo_);
      std::swap(hash_, other.hash_);
      return *this;
    }
    ~Asking();

   private:
    VersionMemo* memo_;
    cache::Hash128 hash_;
  };
  /// Nothing where somebody else is asking: a crowd that comes for a new object at once must not
  /// open a body each.
  std::optional<Asking> ask_first(std::string_view bucket, std::string_view key,
                                  std::string_view selector);

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
    std::unordered_set<cache::Hash128> asking;
  };
  Shard& shard_of(cache::Hash128 hash) { return shards_[hash.high % kShards]; }

  std::array<Shard, kShards> shards_;
};

}  // namespace forebay::proxy
