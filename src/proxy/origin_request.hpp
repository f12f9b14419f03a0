#pragma once
// A client's request as it goes to the origin. Pure.
#include "proxy/session.hpp"

namespace forebay::proxy {

/// Path-style, strictly encoded, without the parameters of a presigned URL: they are made anew.
/// What is passed on keeps its target.
std::string origin_target(const Request& request);

/// The caller's own request: method, target, and its end-to-end fields, unsigned unless it is
/// passed on, then as it was signed. A body keeps its framing.
http::RequestHead origin_head(const Request& request);

}  // namespace forebay::proxy
