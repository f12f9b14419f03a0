#pragma once
// A request's body from the client to the origin.
#include "proxy/body_writer.hpp"
#include "proxy/session.hpp"
#include "proxy/upload_pace.hpp"

#include <forebay/origin/client.hpp>
#include <forebay/s3/error.hpp>

#include <cstddef>
#include <optional>
#include <span>

namespace forebay::proxy {

/// What became of a request body.
enum class Upload {
  sent,      ///< All of it.
  answered,  ///< The origin answered, or closed, before its end.
  aborted,   ///< Not all of it came, or it is not what it was to be. The origin must not keep it.
};

/// What the origin said at last, or how it failed to; nullopt while nobody has looked.
using Answer = std::optional<Result<http::ResponseHead>>;

struct UploadEnd {
  Upload how = Upload::aborted;
  Answer early{};                        ///< What was read of the origin's answer, if answered.
  std::optional<s3::Failure> failure{};  ///< What to tell the client, if aborted; it may be gone.
};

/// The pace that the configuration asks of this client.
UploadPace upload_pace(Session& session);

/// Waits until the client sends its body, or needs the origin's leave to (Expect: 100-continue):
/// before that the request takes no connection. False: the client was told that it is too slow, or
/// is gone.
Task<bool> wait_for_body(Session& session, const Request& request, UploadPace& pace);

/// HttpReader::read_body() at that pace.
Task<Result<std::size_t>> read_body(Session& session, std::span<std::byte> space, UploadPace& pace);

/// A client that left, or was too slow with its body: its connection is of no more use. What to
/// tell it, if it is still there.
std::optional<s3::Failure> client_failed(Session& session, const Error& error);

/// Sends the client's body on. The last piece waits until all that the body was to prove is proven.
Task<UploadEnd> upload_body(Session& session, Request& request, BodyWriter& writer,
                            origin::Exchange& exchange, UploadPace& pace);

}  // namespace forebay::proxy
