#pragma once
// The answer to a GET whose verdict is known: status and fields of the verdict, bytes from the
// cache, from fills, or from an open body.
#include "proxy/read_request.hpp"

#include <forebay/cache/block_cache.hpp>
#include <forebay/origin/object_lookup.hpp>

#include <memory>

namespace forebay::proxy {

/// How a read from the cache ended.
enum class Outcome {
  done,     ///< Answered, or cut.
  changed,  ///< Another version is current, and nothing has been sent: ask again.
  refused,  ///< The origin will not give the bytes, or not these, and nothing has been sent: let it
            ///< answer by itself.
};

/// Answers from the cache what `verdict` allows, and brings in what is not there. `source`: an open
/// body of the whole object, or null.
Task<Outcome> answer_from_cache(Session& session, const Request& request,
                                const origin::Verdict& verdict, cache::FetcherPtr fetcher,
                                std::unique_ptr<cache::ByteSource> source);

/// The origin answers by itself.
Task<void> forward_uncached(Session& session, Request& request);

}  // namespace forebay::proxy
