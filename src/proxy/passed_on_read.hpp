#pragma once
// GetObject where callers' signatures are only passed on (auth.mode: passthrough).
#include "proxy/session.hpp"

namespace forebay::proxy {

/// Answers a GET that the cache may answer and that is better not sent as it is. Every request is
/// its own probe: nothing is shared, and nothing is read before the origin has allowed it.
Task<void> read_passed_on(Session& session, Request& request);

/// Whether a GET that is passed on is better sent as it is: its own conditionals leave no room for
/// ours, or nothing of what it asks for is here or may be brought here.
bool must_pass_on(Session& session, const Request& request);

/// Notes what an answer to a request that was passed on says, for later "not modified"s.
void note_answer(Session& session, const Request& request, const http::ResponseHead& answer,
                 const origin::Verdict& verdict);

}  // namespace forebay::proxy
