#pragma once
// The chain of signatures over the chunks of a streamed body. Amazon S3 API Reference, "Signature
// Calculations for the Authorization Header: Transferring Payload in Multiple Chunks" and "... with
// Trailing Headers". Pure.
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace forebay::s3 {

class HmacKey;

/// Every signature covers the one before it; the first is the request's own. Copyable: a copy
/// continues from where the original was.
class ChunkSigner {
 public:
  /// Of a request signed at `time` for `region`, whose signature is `seed`.
  ChunkSigner(std::string_view secret_key, std::chrono::sys_seconds time, std::string_view region,
              std::string seed);

  /// The next chunk's signature, from the SHA-256 of its data in hexadecimal.
  const std::string& sign_chunk(std::string_view data_sha256);
  /// The trailers' signature. `canonical` is "name:value\n" of each, in their order.
  const std::string& sign_trailers(std::string_view canonical);

 private:
  const std::string& sign(std::string text);

  std::shared_ptr<const HmacKey> key_;
  std::string scope_;     ///< Date and scope, each with its line's end.
  std::string previous_;  ///< The last signature.
};

}  // namespace forebay::s3
