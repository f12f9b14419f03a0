#pragma once
// A file of secrets that is read again when it changes.
#include <forebay/base/result.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <sys/types.h>

namespace forebay {

/// Why secrets may not lie in the file at `path`, symlinks resolved: it is none, or others than its
/// owner and its group may read it, or others than its owner may write it. nullopt where they may.
std::optional<std::string> why_unfit_for_secrets(const std::string& path);

/// One thread.
class SecretFile {
 public:
  /// `kind` is what the log calls it: "credentials file".
  SecretFile(std::string kind, std::string path) : kind_{std::move(kind)}, path_{std::move(path)} {}

  const std::string& path() const { return path_; }

  /// Whether it is another than the one that read() saw last: its resolved path, inode, mode, size
  /// or time of change.
  bool changed() const;

  /// Calls load(path()) on one file, neither half of a change nor a file slipped in behind the
  /// check. Errc::invalid_config, logged, where it is unfit for secrets; else what load returns.
  Result<void> read(const std::function<Result<void>(const std::string& path)>& load);

 private:
  friend std::optional<std::string> why_unfit_for_secrets(const std::string& path);

  /// What tells one state of the file from another.
  struct Fingerprint {
    std::string target;  ///< Symlinks resolved: Kubernetes swaps one of them.
    dev_t device = 0;
    ino_t inode = 0;
    mode_t mode = 0;
    off_t size = 0;
    std::int64_t modified_ns = 0;

    bool operator==(const Fingerprint&) const = default;
  };

  static std::optional<Fingerprint> look(const std::string& path);
  static std::optional<std::string> why_unfit(const Fingerprint& file);

  std::string kind_;
  std::string path_;
  Fingerprint tried_;  ///< Of the file loaded or refused last; none where it was missing.
};

}  // namespace forebay
