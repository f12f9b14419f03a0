#pragma once
// How much the kernel may keep of what a peer sends before it is read.
#include <cstddef>

namespace forebay::net {

/// Gives the receive buffer of a connected TCP socket a fixed size, so that Linux does not raise it
/// to the third number of net.ipv4.tcp_rmem (6 MiB, on newer kernels 32 MiB) as data comes in. The
/// size may exceed net.core.rmem_max, but not that number. False where the kernel is older than
/// Linux 5.14 and goes on raising it.
bool fix_receive_buffer(int descriptor, std::size_t size_bytes);

}  // namespace forebay::net
