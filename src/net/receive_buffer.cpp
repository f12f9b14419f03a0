#include "net/receive_buffer.hpp"

#include <sys/socket.h>

namespace forebay::net {
namespace {

/// SOCK_RCVBUF_LOCK of linux/socket.h, which does not go with sys/socket.h.
constexpr int kReceiveBuffer = 2;

bool set(int descriptor, int option, int value) {
  return ::setsockopt(descriptor, SOL_SOCKET, option, &value, sizeof value) == 0;
}

}  // namespace

bool fix_receive_buffer(int descriptor, std::size_t size_bytes) {
  // SO_RCVBUF would do it, were it not cut to net.core.rmem_max (208 KiB on most hosts, a tenth of
  // what a distant origin needs). SO_RCVLOWAT has the kernel make room for twice its value
  // (tcp_set_rcvlowat), and what it made is then locked.
  const bool grown = set(descriptor, SO_RCVLOWAT, static_cast<int>(size_bytes / 2));
  const bool locked = set(descriptor, SO_BUF_LOCK, kReceiveBuffer);
  // Back to the default: data is announced from its first byte.
  const bool restored = set(descriptor, SO_RCVLOWAT, 1);
  return grown && locked && restored;
}

}  // namespace forebay::net
