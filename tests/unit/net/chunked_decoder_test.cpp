#include <forebay/base/errc.hpp>
#include <forebay/net/chunked_decoder.hpp>
#include <forebay/net/stream.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace forebay::net {
namespace {

/// Feeds `bytes` on behalf of a reader that gets them in one piece; appends the data to `body`.
/// The count of bytes used.
Result<std::size_t> decode(ChunkedDecoder& decoder, std::string_view bytes, std::string& body) {
  std::size_t used = 0;
  while (used < bytes.size() && !decoder.done()) {
    const std::string_view rest = bytes.substr(used);
    if (decoder.data_remaining() != 0) {
      const auto size = std::min<std::size_t>(rest.size(), decoder.data_remaining());
      body += rest.substr(0, size);
      decoder.data_taken(size);
      used += size;
    } else {
      TRY(const std::size_t taken, decoder.feed(as_bytes(rest)));
      used += taken;
    }
  }
  return used;
}

constexpr std::string_view kWhole =
    "5\r\nhello\r\n0B;name=\"value\"\r\n, decoders!\r\n0\r\nx-sum: 1\r\nX-Other:  two \r\n\r\n";

TEST(ChunkedDecoder, DecodesAtEverySplitPointAndStopsAtItsEnd) {
  const std::string bytes = std::string{kWhole} + "GET / HTTP/1.1";
  for (std::size_t split = 0; split <= bytes.size(); ++split) {
    SCOPED_TRACE(split);
    ChunkedDecoder decoder;
    std::string body;
    const auto first = decode(decoder, std::string_view{bytes}.substr(0, split), body);
    ASSERT_TRUE(first);
    const auto second = decode(decoder, std::string_view{bytes}.substr(first.value()), body);
    ASSERT_TRUE(second);
    EXPECT_EQ(first.value() + second.value(), kWhole.size());
    EXPECT_TRUE(decoder.done());
    EXPECT_EQ(body, "hello, decoders!");
    EXPECT_EQ(decoder.trailers().value_or_empty("X-Sum"), "1");
    EXPECT_EQ(decoder.trailers().value_or_empty("x-other"), "two");
  }
}

TEST(ChunkedDecoder, IsNeverDoneBeforeTheLastByte) {
  for (std::size_t size = 0; size < kWhole.size(); ++size) {
    SCOPED_TRACE(size);
    ChunkedDecoder decoder;
    std::string body;
    ASSERT_TRUE(decode(decoder, kWhole.substr(0, size), body));
    EXPECT_FALSE(decoder.done());
  }
}

TEST(ChunkedDecoder, RefusesWhatOthersMightReadDifferently) {
  struct Case {
    const char* name;
    std::string bytes;
    Errc error;
  };
  const std::vector<Case> cases{
      {"no digits", "\r\n", Errc::protocol},
      {"no number", "xyz\r\n", Errc::protocol},
      {"prefix 0x", "0x5\r\nhello\r\n", Errc::protocol},
      {"sign", "+5\r\nhello\r\n", Errc::protocol},
      {"negative", "-1\r\n", Errc::protocol},
      {"leading space", " 5\r\nhello\r\n", Errc::protocol},
      {"trailing space", "5 \r\nhello\r\n", Errc::protocol},
      {"65 bits", "10000000000000000\r\n", Errc::protocol},
      {"bare LF after the size", "5\nhello\r\n", Errc::protocol},
      {"bare CR after the size", "5\rhello\r\n", Errc::protocol},
      {"CR CR LF", "5\r\r\nhello\r\n", Errc::protocol},
      {"NUL in the extension", std::string{"5;a\0b\r\n", 7}, Errc::protocol},
      {"LF in the extension", "5;a\nb\r\n", Errc::protocol},
      {"data longer than its size", "5\r\nhello!\r\n", Errc::protocol},
      {"data without its end", "5\r\nhello0\r\n\r\n", Errc::protocol},
      {"data ended by LF", "5\r\nhello\n0\r\n\r\n", Errc::protocol},
      {"trailer without colon", "0\r\nnonsense\r\n\r\n", Errc::protocol},
      {"trailer with a space in its name", "0\r\na b: c\r\n\r\n", Errc::protocol},
      {"trailer with a space before the colon", "0\r\na : c\r\n\r\n", Errc::protocol},
      {"folded trailer", "0\r\na: b\r\n c\r\n\r\n", Errc::protocol},
      {"endless size", std::string(10'000, '0'), Errc::too_large},
      {"endless extension", "5;" + std::string(10'000, 'x'), Errc::too_large},
      {"endless trailer", "0\r\na: " + std::string(10'000, 'x'), Errc::too_large},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    ChunkedDecoder decoder;
    std::string body;
    const auto result = decode(decoder, c.bytes, body);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error(), c.error);
    EXPECT_FALSE(decoder.done());
    EXPECT_FALSE(decoder.feed(as_bytes("0\r\n\r\n"))) << "a failed decoder stays failed";
  }
}

TEST(ChunkedDecoder, BoundsTheNumberOfTrailers) {
  ChunkedDecoder decoder;
  std::string bytes = "0\r\n";
  for (std::size_t i = 0; i <= ChunkedDecoder::kTrailerFieldsMax; ++i)
    bytes += "a: b\r\n";
  const auto result = decoder.feed(as_bytes(bytes));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error(), Errc::too_large);
}

TEST(ChunkedDecoder, TakesTheLargestSize) {
  ChunkedDecoder decoder;
  ASSERT_TRUE(decoder.feed(as_bytes("FFFFFFFFFFFFFFFF\r\n")));
  EXPECT_EQ(decoder.data_remaining(), UINT64_MAX);
}

}  // namespace
}  // namespace forebay::net
