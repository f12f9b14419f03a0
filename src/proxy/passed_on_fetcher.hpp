#pragma once
// Bytes of one version for a caller whose signature this node cannot make anew.
#include <forebay/cache/block_cache.hpp>
#include <forebay/http/message.hpp>
#include <forebay/origin/caller.hpp>

#include <memory>
#include <string_view>

namespace forebay::proxy {

/// Fetches with the node's own key where it has one. Without one, or where that is refused, the
/// caller's own request is sent again: one without Range with an added, unsigned one; one with a
/// signed Range as it is, and what comes before the bytes wanted is passed over. Any worker.
class PassedOnFetcher final : public cache::Fetcher {
 public:
  /// `request`: the caller's own GET, as it goes to the origin. `by_node` may be null.
  PassedOnFetcher(origin::Client& client, origin::CallerPtr caller, http::RequestHead request,
                  cache::FetcherPtr by_node);

  Task<Result<std::unique_ptr<cache::ByteSource>>> open(cache::ObjectPtr object,
                                                        std::uint64_t offset, std::uint64_t length,
                                                        cache::FillReason reason,
                                                        Deadline queue) override;
  /// Callers are not told apart: each fetcher counts as one of its own.
  std::string_view caller() const override { return name_; }

 private:
  Task<Result<std::unique_ptr<cache::ByteSource>>> open_by_caller(const cache::Identity& identity,
                                                                  std::uint64_t offset,
                                                                  std::uint64_t length,
                                                                  Deadline queue);

  origin::Client& client_;
  origin::CallerPtr caller_;
  http::RequestHead request_;
  cache::FetcherPtr by_node_;
  std::string name_;
};

}  // namespace forebay::proxy
