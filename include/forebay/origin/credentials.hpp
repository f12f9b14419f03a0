#pragma once
// The callers' key pairs: a mounted file, reloaded when it changes.
#include <forebay/base/result.hpp>
#include <forebay/base/secret.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace forebay::origin {

/// One key pair a caller may use, and the pair it is exchanged for toward the origin.
struct CallerKey {
  struct Grant {
    std::string bucket;  ///< A glob: "*" any run of characters, "?" one.
    bool read_only = false;
  };

  std::string access_key;
  Secret secret_key;
  std::string origin_access_key;  ///< Defaults to access_key.
  Secret origin_secret_key;       ///< Defaults to secret_key.
  Secret origin_session_token;    ///< May be empty.
  std::vector<Grant> allow;       ///< Empty: every bucket.

  /// Whether the allow-list lets this caller touch `bucket` (empty: the service itself, e.g.
  /// ListBuckets, needs an empty list).
  bool allows(std::string_view bucket, bool write) const;
};

using CallerKeys = std::unordered_map<std::string, std::shared_ptr<const CallerKey>>;

/// Reads and checks the text of a credentials file; config/ provides it, because only config/ knows
/// YAML. Errors are logged with file, line and column.
using CredentialLoader = std::function<Result<CallerKeys>(const std::string& path)>;

/// The current set. find() on any thread; poll() on one.
class CredentialStore {
 public:
  /// Errc::invalid_config, logged: unreadable, world-readable or group-writable (symlinks
  /// resolved), or refused by the loader.
  static Result<std::unique_ptr<CredentialStore>> open(std::string path, CredentialLoader load);
  virtual ~CredentialStore() = default;

  /// Null for an unknown key.
  virtual std::shared_ptr<const CallerKey> find(std::string_view access_key) const = 0;
  /// Reloads where the file has changed since (its resolved path, inode, size or mtime); an invalid
  /// file keeps the old set, is logged and raises forebay_credentials_reload_failed (gauge, 1 while
  /// the file is invalid).
  virtual void poll() = 0;
};

}  // namespace forebay::origin
