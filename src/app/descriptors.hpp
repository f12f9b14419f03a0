#pragma once
// How the process's file descriptors are shared out.
#include <forebay/config/config.hpp>

namespace forebay::app {

/// Raises the soft limit of open files to the hard one, and has clients' connections leave what the
/// origin's, the operators' and the devices need: all of it, or half of a limit that is too low,
/// which is logged.
void share_descriptors(config::Config& config);

}  // namespace forebay::app
