#include <forebay/base/assert.hpp>
#include <forebay/cluster/ring.hpp>

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace forebay::cluster {
namespace {

/// Points of a member of weight 1: enough that what a further member takes is near its share.
constexpr std::uint32_t kPointsPerWeight = 64;
/// Probes of a placement.
constexpr std::uint64_t kProbes = 21;

/// Parts cannot be mistaken for each other: each is preceded by its length.
void append(std::string& text, std::string_view part) {
  std::uint64_t size = part.size();
  for (int byte = 0; byte < 8; ++byte, size >>= 8U)
    text += static_cast<char>(size & 0xff);
  text += part;
}

std::uint64_t hash(std::string_view text, std::uint64_t seed) {
  return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

/// A bijection of 64 bits that spreads neighbours all over (the finaliser of SplitMix64).
std::uint64_t spread(std::uint64_t value) {
  value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27U)) * 0x94d049bb133111eb;
  return value ^ (value >> 31U);
}

std::uint64_t probe(std::uint64_t placement, std::uint64_t number) {
  constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15;
  return spread(placement + number * kGolden);
}

}  // namespace

std::uint64_t placement_of(std::string_view origin, std::string_view bucket, std::string_view key,
                           std::uint64_t extent) {
  std::string text;
  text.reserve(origin.size() + bucket.size() + key.size() + 24);
  append(text, origin);
  append(text, bucket);
  append(text, key);
  return hash(text, extent);
}

Ring::Ring(std::vector<Member> members) : members_{std::move(members)} {
  std::sort(members_.begin(), members_.end(),
            [](const Member& a, const Member& b) { return a.id < b.id; });
  for (std::uint32_t member = 0; member < members_.size(); ++member) {
    ASSERT(members_[member].weight >= 1);
    ASSERT(member == 0 || members_[member - 1].id != members_[member].id);
    for (std::uint32_t i = 0; i < members_[member].weight * kPointsPerWeight; ++i)
      points_.push_back({hash(members_[member].id, i), member});
  }
  std::sort(points_.begin(), points_.end(), [](const Point& a, const Point& b) {
    return std::pair{a.position, a.member} < std::pair{b.position, b.member};
  });
  const unsigned bits = std::bit_width(points_.size()) + 1U;
  index_shift_ = 64 - bits;
  index_.resize((std::size_t{1} << bits) + 1, static_cast<std::uint32_t>(points_.size()));
  for (std::size_t i = points_.size(); i-- > 0;)
    index_[points_[i].position >> index_shift_] = static_cast<std::uint32_t>(i);
  for (std::size_t slot = index_.size() - 1; slot-- > 0;)
    index_[slot] = std::min(index_[slot], index_[slot + 1]);
}

/// The first point at or behind `position`; the first of all past the last.
std::size_t Ring::first_from(std::uint64_t position) const {
  std::size_t point = index_[position >> index_shift_];
  while (point < points_.size() && points_[point].position < position)
    ++point;
  return point == points_.size() ? 0 : point;
}

std::size_t Ring::nearest(std::uint64_t placement, std::span<const std::size_t> without) const {
  std::uint64_t best_distance = std::numeric_limits<std::uint64_t>::max();
  std::size_t best = 0;
  bool found = false;
  for (std::uint64_t number = 0; number < kProbes; ++number) {
    const std::uint64_t position = probe(placement, number);
    std::size_t point = first_from(position);
    while (std::find(without.begin(), without.end(), points_[point].member) != without.end())
      point = point + 1 == points_.size() ? 0 : point + 1;
    const std::uint64_t distance = points_[point].position - position;
    if (!found || distance < best_distance) {
      found = true;
      best_distance = distance;
      best = points_[point].member;
    }
  }
  return best;
}

std::size_t Ring::owner(std::uint64_t placement) const {
  ASSERT(!members_.empty());
  return nearest(placement, {});
}

std::vector<std::size_t> Ring::owners(std::uint64_t placement, std::size_t count) const {
  std::vector<std::size_t> result;
  count = std::min(count, members_.size());
  while (result.size() < count)
    result.push_back(nearest(placement, result));
  return result;
}

}  // namespace forebay::cluster
