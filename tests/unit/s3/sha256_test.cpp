#include <forebay/s3/sha256.hpp>
#include <forebay/s3/sigv4.hpp>

#include <gtest/gtest.h>

namespace forebay::s3 {
namespace {

TEST(Sha256, MatchesThePublishedDigests) {
  // FIPS 180-4 examples.
  EXPECT_EQ(sha256_hex(""), kEmptyPayload);
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, PiecesGiveTheDigestOfTheWhole) {
  const std::string whole(1000, 'x');
  for (const std::size_t piece : {1u, 7u, 63u, 64u, 65u, 999u, 1000u}) {
    SCOPED_TRACE(piece);
    Sha256 hash;
    for (std::size_t at = 0; at < whole.size(); at += piece)
      hash.update(std::string_view{whole}.substr(at, piece));
    EXPECT_EQ(hash.finish_hex(), sha256_hex(whole));
  }
}

TEST(Sha256, MovesWithItsState) {
  Sha256 first;
  first.update("a");
  Sha256 second{std::move(first)};
  second.update("bc");
  first = Sha256{};
  EXPECT_EQ(second.finish_hex(), sha256_hex("abc"));
  EXPECT_EQ(first.finish_hex(), kEmptyPayload);
}

}  // namespace
}  // namespace forebay::s3
