#pragma once
// Who owns which extent: a weighted consistent-hash ring. Pure and deterministic: the same members
// give the same owners on every node, whatever their order, their number of CPUs or their version
// within this format.
//
// Multi-probe consistent hashing (Appleton and O'Reilly, 2015): a member has few points, and a
// placement several probes; the point nearest behind any of them owns it. That balances as well as
// hundreds of points each would, in memory that a thousand nodes do not notice (docs/adr/0011).
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace forebay::cluster {

struct Member {
  std::string id;            ///< The configured node id, unique in the cluster.
  std::uint32_t weight = 1;  ///< Its capacity beside the others'; at least 1.

  friend bool operator==(const Member&, const Member&) = default;
};

/// Where an extent lies on the ring. Not keyed: it is the same on every node and at every start.
std::uint64_t placement_of(std::string_view origin, std::string_view bucket, std::string_view key,
                           std::uint64_t extent);

/// Immutable: a change of members makes another ring. Any thread.
class Ring {
 public:
  /// Ids must be unique. An empty ring owns nothing.
  explicit Ring(std::vector<Member> members);

  const std::vector<Member>& members() const { return members_; }
  /// The owner's place in members(). The ring must not be empty.
  std::size_t owner(std::uint64_t placement) const;
  /// The owner, then who would own it were the owner gone, and so on: `count` members, or all.
  std::vector<std::size_t> owners(std::uint64_t placement, std::size_t count) const;

 private:
  struct Point {
    std::uint64_t position;
    std::uint32_t member;
  };

  std::size_t nearest(std::uint64_t placement, std::span<const std::size_t> without) const;
  std::size_t first_from(std::uint64_t position) const;

  std::vector<Member> members_;
  std::vector<Point> points_;  ///< By position.
  /// For each prefix of a position, the first point that is not before it: a probe looks at one
  /// entry and a point or two instead of halving its way.
  std::vector<std::uint32_t> index_;
  unsigned index_shift_ = 0;
};

}  // namespace forebay::cluster
