// The chunked transfer coding: what a body means must not depend on how it arrives.
#include "entry.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/net/chunked_decoder.hpp>

#include <algorithm>

namespace forebay::fuzz {
namespace {

struct Decoded {
  std::string data;
  std::size_t taken = 0;  ///< Bytes of the input.
  bool done = false;
  bool failed = false;
};

/// Never shows the decoder more than `piece` bytes at once.
Decoded decode(std::string_view input, std::size_t piece) {
  net::ChunkedDecoder decoder;
  Decoded result;
  while (!decoder.done() && result.taken < input.size()) {
    const std::string_view next = input.substr(result.taken, piece);
    if (decoder.data_remaining() != 0) {
      const auto size =
          static_cast<std::size_t>(std::min<std::uint64_t>(decoder.data_remaining(), next.size()));
      result.data += next.substr(0, size);
      decoder.data_taken(size);
      result.taken += size;
      continue;
    }
    const auto taken = decoder.feed(bytes_of(next));
    if (!taken) {
      ASSERT(!decoder.feed(bytes_of(next)));
      result.failed = true;
      return result;
    }
    ASSERT(taken.value() <= next.size());
    ASSERT(taken.value() != 0 || decoder.data_remaining() != 0 || decoder.done());
    result.taken += taken.value();
  }
  result.done = decoder.done();
  ASSERT(decoder.trailers().size() <= net::ChunkedDecoder::kTrailerFieldsMax);
  return result;
}

}  // namespace

void check(std::string_view input) {
  const std::size_t piece = 1 + take_byte(input) % 16;
  const Decoded whole = decode(input, input.size());
  const Decoded pieces = decode(input, piece);
  ASSERT(whole.data.size() <= input.size());
  ASSERT(whole.done == pieces.done && whole.failed == pieces.failed);
  ASSERT(whole.data == pieces.data);
  ASSERT(!whole.done || whole.taken == pieces.taken);
}

}  // namespace forebay::fuzz
