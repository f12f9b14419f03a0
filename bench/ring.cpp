// Balance, movement, lookup cost and rebuild time of the ring from 3 to 10,000 nodes, beside a ring
// of virtual nodes over the same placements in the same run. No arguments; a minute.
#include <forebay/cluster/ring.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace {

using forebay::cluster::Member;
using forebay::cluster::placement_of;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kExtentsMin = 1'000'000;
constexpr std::size_t kExtentsPerNode = 1'000;
constexpr std::size_t kExtentsPerObject = 16;

/// The usual alternative: so many points for each member, one look for each placement.
template <std::size_t kPoints>
class VirtualNodes {
 public:
  explicit VirtualNodes(const std::vector<Member>& members) {
    for (std::size_t member = 0; member < members.size(); ++member) {
      for (std::size_t i = 0; i < kPoints; ++i)
        points_.push_back({placement_of(members[member].id, "", "", i), member});
    }
    std::sort(points_.begin(), points_.end(),
              [](const auto& a, const auto& b) { return a.position < b.position; });
  }

  std::size_t owner(std::uint64_t placement) const {
    const auto found = std::lower_bound(
        points_.begin(), points_.end(), placement,
        [](const Point& point, std::uint64_t position) { return point.position < position; });
    return found == points_.end() ? points_.front().member : found->member;
  }

 private:
  struct Point {
    std::uint64_t position;
    std::size_t member;
  };
  std::vector<Point> points_;
};

std::vector<Member> members_of(std::size_t count) {
  std::vector<Member> members;
  for (std::size_t i = 0; i < count; ++i)
    members.push_back({fmt::format("node-{:05}", i), 1});
  return members;
}

template <class Function>
double seconds(Function function) {
  const auto start = Clock::now();
  function();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

template <class Ring>
std::vector<std::size_t> owners(const Ring& ring, const std::vector<std::uint64_t>& placements) {
  std::vector<std::size_t> result(placements.size());
  std::transform(placements.begin(), placements.end(), result.begin(),
                 [&ring](std::uint64_t placement) { return ring.owner(placement); });
  return result;
}

template <class Ring>
void measure(const char* name, std::size_t count, const std::vector<std::uint64_t>& placements) {
  // Ids are in the order of their numbers, so that places in both rings mean the same members.
  const auto members = members_of(count);
  const auto extents = static_cast<double>(placements.size());
  std::vector<std::size_t> before;
  std::vector<std::size_t> after;
  const double built = seconds([&] { const Ring ring{members}; });
  const Ring ring{members};
  const double looked_up = seconds([&] { before = owners(ring, placements); });
  after = owners(Ring{members_of(count + 1)}, placements);
  std::vector<std::size_t> owned(count);
  std::size_t moved = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    ++owned[before[i]];
    moved += before[i] == after[i] ? 0 : 1;
  }
  const auto [lightest, heaviest] = std::minmax_element(owned.begin(), owned.end());
  const double fair = extents / static_cast<double>(count);
  fmt::print("{:6} {:12} {:9.3f} {:9.3f} {:12.3f} {:10.0f} {:11.2f}\n", count, name,
             static_cast<double>(*heaviest) / fair, static_cast<double>(*lightest) / fair,
             static_cast<double>(moved) * static_cast<double>(count + 1) / extents,
             looked_up / extents * 1e9, built * 1e3);
}

}  // namespace

int main() {
  fmt::print(" nodes ring          heaviest  lightest  moved by one  ns/lookup  rebuild ms\n");
  for (const std::size_t count : {3, 8, 30, 100, 300, 1'000, 3'000, 10'000}) {
    std::vector<std::uint64_t> placements(std::max(kExtentsMin, count * kExtentsPerNode));
    for (std::size_t i = 0; i < placements.size(); ++i)
      placements[i] =
          placement_of("default", "train", fmt::format("shard-{}", i / kExtentsPerObject),
                       i % kExtentsPerObject);
    measure<forebay::cluster::Ring>("multi-probe", count, placements);
    measure<VirtualNodes<100>>("100 points", count, placements);
    measure<VirtualNodes<500>>("500 points", count, placements);
  }
  fmt::print(
      "heaviest, lightest: shares, where 1 is fair. moved by one: what a further node moved, "
      "where 1 is its fair share.\n");
}
