#include <forebay/s3/aws_chunked.hpp>
#include <forebay/s3/sigv4.hpp>

#include <gtest/gtest.h>

namespace forebay::s3 {
namespace {

// The example of "Signature Calculations for the Authorization Header: Transferring Payload in
// Multiple Chunks" (Amazon S3 API Reference): 65 KiB of 'a' in chunks of 64 KiB; then the one with
// a trailer.
constexpr std::string_view kSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
constexpr std::string_view kSeed =
    "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
constexpr std::string_view kSignatures[]{
    "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
    "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
    "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"};
constexpr std::string_view kTrailerSeed =
    "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e";
constexpr std::string_view kTrailerSignature =
    "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435";

ChunkSigner signer(std::string_view seed) {
  return {kSecret, *parse_amz_date("20130524T000000Z"), "us-east-1", std::string{seed}};
}

std::string encode(PayloadForm form, std::optional<ChunkSigner> chunk_signer, std::string_view data,
                   const http::Headers& trailers) {
  AwsChunkedEncoder encoder{form, std::move(chunk_signer)};
  std::string body;
  while (!data.empty()) {
    const auto chunk = data.substr(0, AwsChunkedEncoder::kChunkSize);
    const auto head = encoder.chunk_head(std::as_bytes(std::span{chunk}));
    EXPECT_LE(head.size(), AwsChunkedEncoder::kHeadMax);
    body.append(head).append(chunk).append(AwsChunkedEncoder::kChunkEnd);
    data.remove_prefix(chunk.size());
  }
  return body.append(encoder.end(trailers));
}

struct Decoded {
  Outcome<void> end = BOOST_OUTCOME_V2_NAMESPACE::success();
  std::string data;
  http::Headers trailers;
};

/// Feeds `body` in pieces of `cut` bytes.
Decoded decode(AwsChunkedDecoder::Expected expected, std::string body, std::size_t cut) {
  AwsChunkedDecoder decoder{std::move(expected)};
  Decoded result;
  for (std::size_t at = 0; at < body.size(); at += cut) {
    const auto piece = std::as_writable_bytes(std::span{body}).subspan(at);
    auto data = decoder.decode(piece.first(std::min(cut, piece.size())));
    if (!data) {
      result.end = std::move(data).error();
      return result;
    }
    result.data.append(reinterpret_cast<const char*>(data.value().data()), data.value().size());
  }
  result.end = decoder.finish();
  result.trailers = decoder.trailers();
  return result;
}

std::string code_of(const Decoded& decoded) {
  return decoded.end ? "" : std::string{info(decoded.end.error().code).name};
}

TEST(AwsChunked, SignsAsTheExampleDoes) {
  const std::string data(66'560, 'a');
  const std::string body = encode(PayloadForm::signed_chunks, signer(kSeed), data, {});
  EXPECT_EQ(body, "10000;chunk-signature=" + std::string{kSignatures[0]} + "\r\n" +
                      data.substr(0, 65'536) + "\r\n400;chunk-signature=" +
                      std::string{kSignatures[1]} + "\r\n" + data.substr(65'536) +
                      "\r\n0;chunk-signature=" + std::string{kSignatures[2]} + "\r\n\r\n");
  EXPECT_EQ(body.size(), 66'824U);  // The example's Content-Length.
}

TEST(AwsChunked, SignsTrailersAsTheExampleDoes) {
  const std::string data(66'560, 'a');
  http::Headers trailers;
  trailers.add("x-amz-checksum-crc32c", "sOO8/Q==");
  const std::string body =
      encode(PayloadForm::signed_with_trailer, signer(kTrailerSeed), data, trailers);
  EXPECT_TRUE(body.ends_with("\r\nx-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:" +
                             std::string{kTrailerSignature} + "\r\n\r\n"))
      << body.substr(body.size() - 400);
}

TEST(AwsChunked, ReadsWhatItWritesWhereverItIsCut) {
  http::Headers trailers;
  trailers.add("x-amz-checksum-crc32c", "sOO8/Q==");
  for (const auto form : {PayloadForm::signed_chunks, PayloadForm::signed_with_trailer,
                          PayloadForm::unsigned_with_trailer}) {
    for (const std::size_t size : {0, 1, 65'535, 65'536, 65'537, 140'000}) {
      const std::string data(size, 'b');
      const auto chunk_signer =
          is_signed(form) ? std::optional{signer(kSeed)} : std::optional<ChunkSigner>{};
      const std::string body = encode(form, chunk_signer, data, trailers);
      EXPECT_EQ(body.size(), AwsChunkedEncoder::encoded_length(
                                 form, size,
                                 AwsChunkedEncoder::trailer_size("x-amz-checksum-crc32c",
                                                                 ChecksumAlgorithm::crc32c)));
      for (const std::size_t cut : {std::size_t{1}, std::size_t{1000}, body.size()}) {
        SCOPED_TRACE(testing::Message() << size << " bytes cut at " << cut);
        const auto decoded =
            decode({size, chunk_signer, form != PayloadForm::signed_chunks}, body, cut);
        EXPECT_EQ(code_of(decoded), "");
        EXPECT_EQ(decoded.data, data);
        EXPECT_EQ(decoded.trailers.size(), form == PayloadForm::signed_chunks ? 0U : 1U);
      }
    }
  }
}

TEST(AwsChunked, EveryTruncationIsNoticed) {
  const std::string body = encode(PayloadForm::signed_chunks, signer(kSeed), "hello", {});
  // The empty line behind the last chunk is all that may be missing.
  for (std::size_t length = 0; length + 2 < body.size(); ++length)
    EXPECT_NE(code_of(decode({5, signer(kSeed), false}, body.substr(0, length), 7)), "") << length;
}

TEST(AwsChunked, EveryFlippedByteIsNoticed) {
  const std::string body = encode(PayloadForm::signed_chunks, signer(kSeed), "hello", {});
  for (std::size_t at = 0; at < body.size(); ++at) {
    std::string changed = body;
    changed[at] = static_cast<char>(changed[at] ^ 0x01);
    const auto decoded = decode({5, signer(kSeed), false}, changed, body.size());
    EXPECT_TRUE(code_of(decoded) != "" || decoded.data == "hello") << at;
  }
}

TEST(AwsChunked, RefusesWhatWasNotSigned) {
  const std::string good = encode(PayloadForm::signed_chunks, signer(kSeed), "hello", {});
  EXPECT_EQ(code_of(decode({5, signer(kTrailerSeed), false}, good, 4096)), "SignatureDoesNotMatch");
  EXPECT_EQ(code_of(decode({5, signer(kSeed), false}, "5\r\nhello\r\n0\r\n\r\n", 4096)),
            "IncompleteBody");
  http::Headers trailers;
  trailers.add("x-amz-checksum-crc32c", "sOO8/Q==");
  std::string trailing = encode(PayloadForm::signed_with_trailer, signer(kSeed), "hello", trailers);
  EXPECT_EQ(code_of(decode({5, signer(kSeed), true}, trailing, 4096)), "");
  const auto at = trailing.find("sOO8");
  trailing[at] = 't';
  EXPECT_EQ(code_of(decode({5, signer(kSeed), true}, trailing, 4096)), "SignatureDoesNotMatch");
  EXPECT_EQ(code_of(decode({5, signer(kSeed), true}, good, 4096)), "MalformedTrailerError");
}

TEST(AwsChunked, RefusesFramingThatIsNone) {
  struct Case {
    std::string_view name, body, code;
  };
  const Case cases[]{
      {"as sent by boto3", "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", ""},
      {"line feeds, and an empty line before the end, as others send",
       "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\n\r\n\r\n", ""},
      {"an extension that says nothing", "5;x=y\r\nhello\r\n0\r\n\r\n", ""},
      {"no number", "x\r\nhello\r\n0\r\n\r\n", "IncompleteBody"},
      {"more data than announced", "6\r\nhello!\r\n0\r\n\r\n", "IncompleteBody"},
      {"less data than announced", "4\r\nhell\r\n0\r\n\r\n", "IncompleteBody"},
      {"a length beyond 64 bits", "fffffffffffffffff\r\n", "IncompleteBody"},
      {"data that goes on behind its chunk", "5\r\nhello!\r\n0\r\n\r\n", "IncompleteBody"},
      {"garbage behind a length", "5 5\r\nhello\r\n0\r\n\r\n", "IncompleteBody"},
      {"no end", "5\r\nhello\r\n", "IncompleteBody"},
      {"a trailer without a colon", "5\r\nhello\r\n0\r\nabc\r\n\r\n", "MalformedTrailerError"},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.name);
    EXPECT_EQ(code_of(decode({5, std::nullopt, true}, std::string{each.body}, 3)), each.code);
  }
  EXPECT_EQ(code_of(decode({5, std::nullopt, true}, std::string(5000, '1'), 512)),
            "IncompleteBody");
}

}  // namespace
}  // namespace forebay::s3
