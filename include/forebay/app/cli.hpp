#pragma once
// The command line: `forebay serve`, `purge`, `version`.
#include <iosfwd>

namespace forebay::app {

/// Runs one command to its end and returns the exit code of the process: 0, 1 where it failed, 2
/// where it was asked wrongly (usage, configuration). Answers go to `out`, complaints to `err`.
/// `serve` takes over the process: signals, limits and the log.
int run(int argc, const char* const* argv, std::ostream& out, std::ostream& err);

}  // namespace forebay::app
