#include "support/loopback_origin.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <utility>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace forebay::test {
namespace {

constexpr std::chrono::seconds kPatience{10};

/// One read; "" at the end, on a reset, and, as a failure, when nothing came.
std::string receive_some(int descriptor) {
  std::array<char, 65536> buffer;
  const ssize_t got = ::recv(descriptor, buffer.data(), buffer.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
    ADD_FAILURE() << "nothing came, and no end";
  return got > 0 ? std::string(buffer.data(), static_cast<std::size_t>(got)) : std::string{};
}

}  // namespace

std::string Peer::receive_head() {
  constexpr std::string_view kEnd = "\r\n\r\n";
  for (;;) {
    const std::size_t end = early_.find(kEnd);
    if (end != std::string::npos)
      return receive(end + kEnd.size());
    const std::string part = receive_some(descriptor_);
    if (part.empty())
      return {};
    early_ += part;
  }
}

std::string Peer::receive(std::size_t size) {
  while (early_.size() < size) {
    const std::string part = receive_some(descriptor_);
    if (part.empty())
      break;
    early_ += part;
  }
  std::string text = early_.substr(0, size);
  early_.erase(0, text.size());
  return text;
}

bool Peer::receive_end() {
  for (;;) {
    std::array<char, 65536> buffer;
    const ssize_t got = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
    if (got <= 0)
      return got == 0 || errno == ECONNRESET;
  }
}

bool Peer::send(std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0)
      return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void Peer::close() {
  const std::lock_guard lock{closing_};
  if (descriptor_ >= 0)
    ::close(std::exchange(descriptor_, -1));
}

void Peer::interrupt() {
  const std::lock_guard lock{closing_};
  if (descriptor_ >= 0)
    ::shutdown(descriptor_, SHUT_RDWR);
}

void Peer::reset() {
  const linger hard{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  close();
}

LoopbackOrigin::LoopbackOrigin(Script script)
    : script_{std::move(script)}, listener_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_, generic, size) != 0 || ::listen(listener_, SOMAXCONN) != 0 ||
      ::getsockname(listener_, generic, &size) != 0)
    throw std::runtime_error{"no loopback listener"};
  port_ = ntohs(address.sin_port);
  accepting_ = std::thread{[this] { accept_all(); }};
}

LoopbackOrigin::~LoopbackOrigin() {
  ::shutdown(listener_, SHUT_RDWR);
  accepting_.join();
  {
    const std::lock_guard lock{mutex_};
    for (Peer* const peer : serving_)
      peer->interrupt();
  }
  for (std::thread& thread : threads_)
    thread.join();
  ::close(listener_);
}

std::string LoopbackOrigin::endpoint() const {
  return "http://127.0.0.1:" + std::to_string(port_);
}

bool LoopbackOrigin::wait_ended(std::size_t count) {
  std::unique_lock lock{mutex_};
  return ended_changed_.wait_for(lock, kPatience, [this, count] { return ended_ >= count; });
}

void LoopbackOrigin::accept_all() {
  for (;;) {
    const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor < 0)
      return;
    const timeval limit{.tv_sec = kPatience.count(), .tv_usec = 0};
    ::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    auto peer = std::make_unique<Peer>(descriptor);
    {
      const std::lock_guard lock{mutex_};
      serving_.insert(peer.get());
    }
    const std::size_t number = accepted_++;
    threads_.emplace_back(&LoopbackOrigin::serve, this, std::move(peer), number);
  }
}

void LoopbackOrigin::serve(std::unique_ptr<Peer> peer, std::size_t number) {
  script_(*peer, number);
  peer->close();
  const std::lock_guard lock{mutex_};
  serving_.erase(peer.get());
  ++ended_;
  ended_changed_.notify_all();
}

}  // namespace forebay::test
