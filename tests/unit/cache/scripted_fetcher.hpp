#pragma once
// An origin that a test scripts, and readers that check every byte of it.
#include "support/memory_device.hpp"

#include <forebay/base/errc.hpp>
#include <forebay/cache/block_cache.hpp>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <utility>

namespace forebay::cache {

inline std::byte byte_at(std::uint64_t offset) {
  return static_cast<std::byte>((offset * 2654435761U) >> 13);
}

inline ObjectPtr make_object(std::uint64_t size, std::string etag = "v1") {
  return std::make_shared<const Object>(Identity{"o", "b", "k", std::move(etag), size, ""});
}

/// What the scripted origin does with the next requests.
struct Script {
  std::atomic<int> opened{0};
  std::atomic<std::uint64_t> bytes{0};
  std::atomic<int> truncations{0};  ///< So many bodies end after a page and a half.
  std::atomic<int> stalls{0};       ///< So many bodies fall silent after a page and a half.
  std::atomic<int> refusals{0};     ///< So many opens are refused.
  std::atomic<int> outages{0};      ///< So many opens find no origin.
  std::atomic<bool> changed{false};
  std::atomic<int> bodies{0};                 ///< Open now.
  std::atomic<std::uint64_t> hold_at{~0ULL};  ///< Bytes of the object from here on pass the gate.
  test::Gate body_gate;
  std::atomic<int> hold_open{1};  ///< This open and all after it pass the gate.
  test::Gate open_gate;
};

class ScriptedSource final : public ByteSource {
 public:
  ScriptedSource(std::shared_ptr<Script> script, std::uint64_t offset, std::uint64_t length)
      : script_{std::move(script)}, offset_{offset}, left_{length} {
    ++script_->bodies;
    if (script_->truncations.fetch_sub(1) > 0)
      truncate_at_ = kPageSize * 3 / 2;
    else if (script_->stalls.fetch_sub(1) > 0)
      stall_at_ = kPageSize * 3 / 2;
  }
  ~ScriptedSource() override { --script_->bodies; }

  Task<Result<std::size_t>> read(std::span<std::byte> buffer, Deadline deadline) override {
    if (sent_ >= stall_at_) {
      co_await runtime::sleep_until(deadline);
      co_return Errc::timeout;
    }
    if (sent_ >= truncate_at_)
      co_return Errc::truncated;
    if (offset_ >= script_->hold_at)
      co_await script_->body_gate.pass();
    // An odd size, so that pages and reads do not line up.
    const std::size_t size = std::min<std::uint64_t>({buffer.size(), left_, 50'001});
    for (std::size_t i = 0; i < size; ++i)
      buffer[i] = byte_at(offset_ + i);
    offset_ += size;
    left_ -= size;
    sent_ += size;
    script_->bytes += size;
    co_await runtime::sleep_until(Deadline::after(std::chrono::microseconds{0}));
    co_return size;
  }

 private:
  std::shared_ptr<Script> script_;
  std::uint64_t offset_;
  std::uint64_t left_;
  std::uint64_t sent_ = 0;
  std::uint64_t truncate_at_ = ~0ULL;
  std::uint64_t stall_at_ = ~0ULL;
};

class ScriptedFetcher final : public Fetcher {
 public:
  ScriptedFetcher(std::shared_ptr<Script> script, std::string caller)
      : script_{std::move(script)}, caller_{std::move(caller)} {}

  Task<Result<std::unique_ptr<ByteSource>>> open(ObjectPtr, std::uint64_t offset,
                                                 std::uint64_t length, FillReason,
                                                 Deadline) override {
    if (++script_->opened >= script_->hold_open)
      co_await script_->open_gate.pass();
    if (script_->changed)
      co_return Errc::changed;
    if (script_->outages.fetch_sub(1) > 0)
      co_return Errc::unavailable;
    if (script_->refusals.fetch_sub(1) > 0)
      co_return Errc::refused;
    co_return std::make_unique<ScriptedSource>(script_, offset, length);
  }
  std::string_view caller() const override { return caller_; }

 private:
  std::shared_ptr<Script> script_;
  std::string caller_;
};

inline Deadline patience() {
  return Deadline::after(std::chrono::seconds{20});
}

/// Reads a range to its end and checks every byte; the error that ended it, if any.
inline Task<Result<ReadTally>> read_all(BlockCache& cache, ObjectPtr object, std::uint64_t first,
                                        std::uint64_t end, FetcherPtr fetcher) {
  RangeReader reader{cache, object, first, end, std::move(fetcher), patience()};
  while (!reader.done()) {
    CO_TRY(View view, co_await reader.next(patience()));
    std::uint64_t offset = reader.position();
    for (const auto part : view.parts()) {
      for (const std::byte b : part) {
        if (b != byte_at(offset++))
          co_return Errc::corrupt;
      }
    }
    reader.advance(view.size());
  }
  co_return reader.tally();
}

}  // namespace forebay::cache
