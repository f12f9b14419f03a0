#include <forebay/s3/checksum.hpp>

#include <gtest/gtest.h>

namespace forebay::s3 {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span{text});
}

std::string checksum(ChecksumAlgorithm algorithm, std::string_view text) {
  Checksum sum{algorithm};
  sum.update(bytes_of(text));
  return sum.finish();
}

struct Case {
  std::string_view field;
  std::string_view name;
  std::string_view of_check;  ///< Of "123456789".
  std::string_view of_nothing;
};
// Check values of the CRC catalogue (reveng.sourceforge.io), RFC 1321 and FIPS 180-4, in base64.
constexpr Case kCases[]{
    {"x-amz-checksum-crc32", "CRC32", "y/Q5Jg==", "AAAAAA=="},
    {"x-amz-checksum-crc32c", "CRC32C", "4waSgw==", "AAAAAA=="},
    {"x-amz-checksum-crc64nvme", "CRC64NVME", "rosUhgp5mIg=", "AAAAAAAAAAA="},
    {"x-amz-checksum-sha1", "SHA1", "98O8HYCOBHMq32eZZczDTKeuNEE=", "2jmj7l5rSw0yVb/vlWAYkK/YBwk="},
    {"x-amz-checksum-sha256", "SHA256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=",
     "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},
    {"Content-MD5", "Content-MD5", "JfnnlDI7RTiF9RgfG2JNCw==", "1B2M2Y8AsgTpgAmY7PhCfg=="},
};

TEST(Checksum, GivesTheCheckValues) {
  for (const Case& each : kCases) {
    SCOPED_TRACE(each.name);
    const auto algorithm = checksum_of_field(each.field);
    ASSERT_TRUE(algorithm);
    EXPECT_EQ(name(*algorithm), each.name);
    EXPECT_EQ(checksum(*algorithm, "123456789"), each.of_check);
    EXPECT_EQ(checksum(*algorithm, ""), each.of_nothing);
    EXPECT_EQ(each.of_check.size(), encoded_size(*algorithm));
    EXPECT_TRUE(is_digest(*algorithm, each.of_check));
  }
}

TEST(Checksum, DoesNotDependOnHowABodyIsCut) {
  std::string body;
  for (int i = 0; i < 1000; ++i)
    body += static_cast<char>(i * 7);
  for (const Case& each : kCases) {
    SCOPED_TRACE(each.name);
    const auto algorithm = *checksum_of_field(each.field);
    const std::string whole = checksum(algorithm, body);
    for (const std::size_t cut :
         {std::size_t{1}, std::size_t{8}, std::size_t{13}, std::size_t{999}}) {
      Checksum sum{algorithm};
      for (std::size_t at = 0; at < body.size(); at += cut)
        sum.update(bytes_of(std::string_view{body}.substr(at, cut)));
      EXPECT_EQ(sum.finish(), whole) << cut;
    }
  }
}

TEST(Checksum, KnowsFieldsInAnyCaseAndNoOthers) {
  EXPECT_EQ(checksum_of_field("X-Amz-Checksum-CRC32C"), ChecksumAlgorithm::crc32c);
  EXPECT_EQ(checksum_of_field("content-md5"), ChecksumAlgorithm::md5);
  EXPECT_FALSE(checksum_of_field("x-amz-checksum-algorithm"));
  EXPECT_FALSE(checksum_of_field("x-amz-checksum-mode"));
  EXPECT_FALSE(checksum_of_field(""));
}

TEST(Checksum, TellsADigestFromOtherText) {
  for (const std::string_view text : {"", "AAAA", "AAAAAAA=", "AAAAAAAA",
                                      "AAAAA===", "AAAA A==", "AAAA-A==", "AAAAAA==-3", "=AAAAA=="})
    EXPECT_FALSE(is_digest(ChecksumAlgorithm::crc32, text)) << text;
  EXPECT_TRUE(is_digest(ChecksumAlgorithm::crc32, "+/AAAA=="));
}

}  // namespace
}  // namespace forebay::s3
