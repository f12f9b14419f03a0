#pragma once
// When credentials that end are asked for anew. Pure: time and chance are arguments.
#include <chrono>

namespace forebay::origin {

/// How long to wait, after credentials that live for `life` were obtained: until five minutes
/// before their end, or half of that life where it is shorter, and up to a fifth of that earlier,
/// so that nodes that began together do not ask together. At least a second. `random` is in [0, 1).
std::chrono::seconds until_refresh(std::chrono::seconds life, double random);

/// How long to wait after that many failures in a row: doubled from a second, a minute at most,
/// and jittered down to half.
std::chrono::seconds until_retry(int failures, double random);

}  // namespace forebay::origin
