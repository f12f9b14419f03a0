#pragma once
// `forebay purge`: asks a running node, through its admin port, to forget what it has cached.
#include <forebay/base/result.hpp>
#include <forebay/base/secret.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace forebay::app {

struct PurgeTarget {
  std::string bucket;
  std::string prefix;  ///< Of the key; empty: the whole bucket.
};

/// "s3://bucket" or "s3://bucket/prefix". Errc::invalid_config otherwise.
Result<PurgeTarget> parse_purge_target(std::string_view uri);

struct PurgeAnswer {
  bool done = false;
  std::uint64_t purged = 0;  ///< Where done.
  std::string message;       ///< What went wrong, or what could not be reached, for people.
};

/// Waits until the node has answered, a minute at most. `admin` is host:port; `token` is empty
/// where the node asks for none.
PurgeAnswer purge(const std::string& admin, const PurgeTarget& target, const Secret& token = {});

}  // namespace forebay::app
