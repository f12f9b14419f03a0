#pragma once
// What the proxy room is configured with; config/ fills these from the file.
#include <forebay/base/units.hpp>
#include <forebay/s3/payload.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace forebay::proxy {

enum class PrestageTrigger { any_head, ranged_head, off };

struct PrestageConfig {
  PrestageTrigger trigger = PrestageTrigger::any_head;
  std::uint64_t max_object_size = 64 * GiB;
  std::uint64_t max_bytes_in_flight =
      256 * MiB;  ///< Of fills that HeadObject asked for, at any time.
};

/// What the objects that wait to be pre-staged may occupy; past it they are refused.
inline constexpr std::uint64_t kPrestageQueueBytes = 32 * MiB;

/// The first rule whose bucket and prefix match decides; no rule: everything is cached and
/// pre-staged.
struct CacheRule {
  std::string bucket;  ///< A glob.
  std::string prefix;  ///< Of the key; empty matches all.
  bool cache = true;   ///< `cache: never` makes it false.
  bool prestage = true;
};

/// Who checks the callers' signatures.
enum class AuthMode {
  verify,       ///< The node: it holds their keys, and signs anew for the origin.
  passthrough,  ///< The origin: requests travel as they are.
};

enum class AnonymousPolicy { forward, deny };
enum class PathStyle { allow, reject };

/// What the origin is told of a client's address.
enum class ForwardedFor {
  off,  ///< Nothing.
  set,  ///< X-Forwarded-For.
};

struct ProxyConfig {
  AuthMode auth_mode = AuthMode::verify;                 ///< auth.mode
  AnonymousPolicy anonymous = AnonymousPolicy::forward;  ///< auth.anonymous; verify only.
  PathStyle path_style = PathStyle::allow;               ///< listen.path_style
  s3::TrailerPolicy trailers = s3::TrailerPolicy::keep;  ///< origin.trailers; verify only.
  ForwardedFor forwarded_for = ForwardedFor::off;        ///< origin.forwarded_for
  std::string origin_id = "default";                     ///< Part of every cached identity.
  std::vector<std::string> domains;  ///< listen.domains: virtual-host addressing under these.
  std::uint64_t min_object_size =
      4 * MiB;                   ///< cache.min_object_size: smaller objects stream through.
  std::vector<CacheRule> rules;  ///< cache.rules
  PrestageConfig prestage;
  milliseconds clock_skew{15 * 60 * 1000};  ///< auth.clock_skew
  milliseconds send_timeout{60'000};  ///< listen.send_timeout: without progress toward the client.
  milliseconds receive_timeout{
      60'000};  ///< listen.receive_timeout: without progress from the client, within a body.
  std::uint64_t min_upload_rate = 1 * KiB;  ///< listen.min_upload_rate: bytes a second; 0: any.
  milliseconds upload_grace{30'000};        ///< listen.upload_grace
  /// memory.wait: what a request may wait for frames, permits and connections together.
  milliseconds wait{2'000};
  std::size_t direct_reads_max =
      256;  ///< limits.direct_reads: reads whose rest the cache cannot bring, at once.
  bool access_log = true;  ///< log.access
};

}  // namespace forebay::proxy
