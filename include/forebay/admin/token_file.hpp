#pragma once
// The token that operators show where they change state through the admin port.
#include <forebay/base/result.hpp>
#include <forebay/base/secret.hpp>
#include <forebay/base/secret_file.hpp>

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace forebay::admin {

/// The token in the file at `path`: its one line, 16 to 4096 printable characters without blanks.
/// Errc::invalid_config, logged: unfit for secrets, unreadable, or no such line.
Result<Secret> read_token(const std::string& path);

/// The current one. matches() on any thread; poll() on one.
class TokenFile {
 public:
  /// As read_token().
  static Result<std::unique_ptr<TokenFile>> open(std::string path);

  /// In time that depends on no character of either.
  bool matches(std::string_view token) const;
  /// Reads the file again where it has changed; one that cannot be used keeps the old token, and
  /// the log says so.
  void poll();

 private:
  explicit TokenFile(std::string path) : file_{"token file", std::move(path)} {}
  Result<void> load();

  SecretFile file_;  ///< poll()'s thread only.
  mutable std::mutex mutex_;
  Secret token_;  ///< Guarded by mutex_.
};

}  // namespace forebay::admin
