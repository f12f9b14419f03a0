#pragma once
// `forebay serve`, once the configuration is known to be good.
#include <forebay/config/config.hpp>

namespace forebay::app {

/// Whether the memory the configuration may use is within the control group's limit; says what it
/// comes to either way.
struct MemoryVerdict {
  bool fits = true;
  std::string lines;
};
MemoryVerdict judge_memory(const config::Config& config);

/// Serves until SIGTERM or SIGINT; a second one ends the drain at once. The exit code of the
/// process. Called before any thread is started.
int serve(const config::Config& config);

}  // namespace forebay::app
