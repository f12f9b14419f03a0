#include "s3/sha256_state.hpp"
#include "s3/sigv4_canonical.hpp"

#include <forebay/s3/chunk_signer.hpp>
#include <forebay/s3/sigv4.hpp>

#include <utility>

namespace forebay::s3 {

ChunkSigner::ChunkSigner(std::string_view secret_key, sys_seconds time, std::string_view region,
                         std::string seed)
    : previous_{std::move(seed)} {
  const std::string date = format_amz_date(time);
  const std::string_view day = std::string_view{date}.substr(0, 8);
  key_ = std::make_shared<const HmacKey>(derived_key(secret_key, day, region));
  scope_ = date + '\n' + credential_scope(day, region) + '\n';
}

const std::string& ChunkSigner::sign_chunk(std::string_view data_sha256) {
  std::string text{"AWS4-HMAC-SHA256-PAYLOAD\n"};
  text.append(scope_).append(previous_).append("\n").append(kEmptyPayload).append("\n");
  text.append(data_sha256);
  return sign(std::move(text));
}

const std::string& ChunkSigner::sign_trailers(std::string_view canonical) {
  std::string text{"AWS4-HMAC-SHA256-TRAILER\n"};
  text.append(scope_).append(previous_).append("\n").append(sha256_hex(canonical));
  return sign(std::move(text));
}

const std::string& ChunkSigner::sign(std::string text) {
  previous_ = to_hex(key_->sign(text));
  return previous_;
}

}  // namespace forebay::s3
