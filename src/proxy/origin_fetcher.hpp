#pragma once
// Bytes of one version from the origin, asked for with one caller's key.
#include <forebay/cache/block_cache.hpp>
#include <forebay/http/message.hpp>
#include <forebay/http/range.hpp>
#include <forebay/origin/caller.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace forebay::proxy {

/// Every response is compared with the identity asked for, whatever its status: ETag, total size,
/// version id, offset. What the origin fails to answer is asked again within the client's retry
/// budget. A version that the origin keeps is asked for by its id once another is current; a key
/// that may not read by id gets Errc::changed. Any worker.
class OriginFetcher final : public cache::Fetcher {
 public:
  /// `request`: method and target in the origin's form, with no parameter but versionId, and the
  /// caller's fields that a fill must carry (requester pays, expected bucket owner).
  OriginFetcher(origin::Client& client, origin::CallerPtr caller, http::RequestHead request);

  Task<Result<std::unique_ptr<cache::ByteSource>>> open(cache::ObjectPtr object,
                                                        std::uint64_t offset, std::uint64_t length,
                                                        cache::FillReason reason,
                                                        Deadline queue) override;
  std::string_view caller() const override { return caller_->key->access_key; }
  /// What it occupies, the caller's authorisation included.
  std::size_t memory_bytes() const;

 private:
  /// What open() asks for, and how long the origin asked to be left alone.
  struct Question {
    const cache::Identity& identity;
    http::ByteRange range;
    cache::FillReason reason;
    Deadline deadline;
    Deadline queue;  ///< Within it: for a connection.
    bool by_id = false;
    std::optional<std::chrono::seconds> retry_after;
  };
  /// One attempt: of the current version, or by id where that is known to be needed.
  Task<Result<std::unique_ptr<cache::ByteSource>>> attempt(Question& question);
  /// One request.
  Task<Result<std::unique_ptr<cache::ByteSource>>> ask(Question& question);

  origin::Client& client_;
  origin::CallerPtr caller_;
  http::RequestHead request_;
  bool names_version_;                      ///< The caller's request does.
  std::atomic<bool> is_superseded_{false};  ///< What is current is another version.
};

/// The bytes that an answer holds of exactly that version; else why it does not (see
/// cache::Fetcher::open).
Result<http::ByteRange> check_version(const http::ResponseHead& answer,
                                      const cache::Identity& identity);

/// The next `wanted` bytes of an exchange's body, of which `body` are announced to be left.
std::unique_ptr<cache::ByteSource> make_source(std::unique_ptr<origin::Exchange> exchange,
                                               std::uint64_t body, std::uint64_t wanted);

/// The fields of a client's request that its fills carry, over `target`.
http::RequestHead fill_request(const http::RequestHead& request, std::string target);

}  // namespace forebay::proxy
