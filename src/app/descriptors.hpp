#pragma once
// How the process's file descriptors are shared out.
#include <forebay/config/config.hpp>

#include <cstddef>
#include <cstdint>

namespace forebay::app {

/// How many clients may be connected at once where the process may open `limit` files: at most
/// listen.max_connections, and so many that the origin's and the operators' connections and the
/// devices have what they need, or half of a limit that is too low for that. Pure.
std::size_t clients_that_fit(const config::Config& config, std::uint64_t limit);

/// Raises the soft limit of open files to the hard one, and lowers listen.max_connections to what
/// fits, which is logged.
void share_descriptors(config::Config& config);

}  // namespace forebay::app
