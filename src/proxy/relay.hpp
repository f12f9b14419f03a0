#pragma once
// Steps that every forwarded answer takes on its way to the client.
#include "proxy/session.hpp"

namespace forebay::proxy {

/// Size of the buffer that a forwarded body passes through, one for each direction in use.
inline constexpr std::size_t kRelayBuffer = 64 * KiB;

/// The origin could not be asked, or did not answer: what the client is told, where it may be told
/// something.
s3::Failure failure_of(const Error& error);

/// Sends the origin's answer on, head and body. Cuts the connection where the body breaks off.
Task<void> relay_answer(Session& session, origin::Exchange& exchange, http::ResponseHead answer);

/// relay_answer() of an answer that says where an upload is: the client is told the name it asked.
Task<void> relay_located(Session& session, const Request& request, origin::Exchange& exchange,
                         http::ResponseHead answer);

}  // namespace forebay::proxy
