#pragma once
// The lookup: asking the origin, for this caller and this request, "may I, and which version is
// current?". Its answer is the verdict.
#include <forebay/base/units.hpp>
#include <forebay/http/message.hpp>
#include <forebay/http/range.hpp>
#include <forebay/origin/caller.hpp>
#include <forebay/origin/client.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace forebay::origin {

/// What the origin said to a caller who may read. Immutable, shared by the readers it was asked
/// for.
struct Verdict {
  http::Headers
      headers;       ///< End-to-end fields of the answer, without Content-Length and Content-Range.
  std::string etag;  ///< As sent, quotes included.
  std::string
      strong_etag;  ///< Without quotes; empty where the ETag is weak or missing: not cacheable.
  std::uint64_t size = 0;  ///< Of the whole object.
  std::string version_id;  ///< x-amz-version-id, empty where absent.
  std::optional<std::chrono::sys_seconds> last_modified;
  std::optional<http::ByteRange> part;  ///< With ?partNumber=N: the bytes of that part.
};
using VerdictPtr = std::shared_ptr<const Verdict>;

/// Builds a verdict from the answer to a HEAD or a GET of an object (200, or 206 with a
/// Content-Range). nullopt where the answer has no known size. Pure.
std::optional<Verdict> make_verdict(const http::ResponseHead& answer);

/// True where a HEAD may be allowed although the GET is not: KMS encryption, or an archived class
/// that has not been restored. Pure.
bool needs_get(const http::Headers& answer);
/// True where the object's bytes cannot be had before it is restored. Pure.
bool is_archived(const http::Headers& answer);

/// Sends lookups, one at a time for each (caller, object, variant), and shares a lookup only among
/// readers who asked before it was sent. Any worker.
class ObjectLookup {
 public:
  /// The client must outlive this, and this the workers' tasks.
  explicit ObjectLookup(Client& client);
  ObjectLookup(const ObjectLookup&) = delete;
  ObjectLookup& operator=(const ObjectLookup&) = delete;
  ~ObjectLookup();

  /// `request` is the caller's GET with its target in the origin's (path-style) form, without
  /// presigning parameters. Errc::refused: any answer but success, or one that is no verdict; the
  /// caller's own GET must be forwarded. Errc::unavailable, timeout, overloaded: the origin could
  /// not be asked.
  Task<Result<VerdictPtr>> ask(CallerPtr caller, const http::RequestHead& request);

 private:
  struct Table;
  struct Batch;
  struct Flight;
  static Task<void> fly(ObjectLookup* self, std::string key);
  Task<Result<VerdictPtr>> send(const Caller& caller, const http::RequestHead& lookup,
                                Deadline deadline, bool& slow_down);
  Task<Result<VerdictPtr>> send_get(const Caller& caller, http::RequestHead lookup,
                                    Deadline deadline, bool& slow_down);

  Client& client_;
  std::unique_ptr<Table> table_;
};

}  // namespace forebay::origin
