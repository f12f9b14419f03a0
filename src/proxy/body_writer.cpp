#include "proxy/body_writer.hpp"

#include <cstring>
#include <string>

namespace forebay::proxy {
namespace {

constexpr std::size_t kHeadRoom = s3::AwsChunkedEncoder::kHeadMax;
constexpr std::size_t kPieceSize = s3::AwsChunkedEncoder::kChunkSize;
constexpr std::size_t kBufferSize =
    kHeadRoom + kPieceSize + s3::AwsChunkedEncoder::kChunkEnd.size();

}  // namespace

BodyWriter::BodyWriter(origin::Exchange& exchange, s3::PayloadForm form,
                       std::optional<s3::ChunkSigner> signer, milliseconds progress)
    : exchange_{exchange}, progress_{progress} {
  if (form != s3::PayloadForm::plain)
    encoder_.emplace(form, std::move(signer));
  filling_.bytes.resize(kBufferSize);
}

std::span<std::byte> BodyWriter::space() {
  return std::span{filling_.bytes}.subspan(kHeadRoom + filling_.size, kPieceSize - filling_.size);
}

bool BodyWriter::is_full() const {
  return encoder_ ? filling_.size == kPieceSize : filling_.size != 0;
}

Task<Result<void>> BodyWriter::send_held() {
  if (held_.size != 0) {
    CO_TRY(co_await send(held_));
  }
  std::swap(filling_, held_);
  filling_.size = 0;
  filling_.bytes.resize(kBufferSize);
  co_return success();
}

Task<Result<void>> BodyWriter::finish(const http::Headers& trailers) {
  CO_TRY(co_await send(held_));
  CO_TRY(co_await send(filling_));
  if (encoder_) {
    const std::string end = encoder_->end(trailers);
    CO_TRY(
        co_await exchange_.write_body(std::as_bytes(std::span{end}), Deadline::after(progress_)));
  }
  co_return co_await exchange_.finish_body(Deadline::after(progress_));
}

Task<Result<void>> BodyWriter::send(Piece& piece) {
  if (piece.size == 0)
    co_return success();
  std::span<const std::byte> framed = std::span{piece.bytes}.subspan(kHeadRoom, piece.size);
  if (encoder_) {
    const std::string head = encoder_->chunk_head(framed);
    const std::string_view end = s3::AwsChunkedEncoder::kChunkEnd;
    std::memcpy(piece.bytes.data() + kHeadRoom - head.size(), head.data(), head.size());
    std::memcpy(piece.bytes.data() + kHeadRoom + piece.size, end.data(), end.size());
    framed = std::span{piece.bytes}.subspan(kHeadRoom - head.size(),
                                            head.size() + piece.size + end.size());
  }
  co_return co_await exchange_.write_body(framed, Deadline::after(progress_));
}

}  // namespace forebay::proxy
