#pragma once
// Real workers, loopback sockets on free ports, and a blocking client on the test's own thread.
#include <forebay/net/listener.hpp>
#include <forebay/net/stream.hpp>
#include <forebay/runtime/worker.hpp>

#include <array>
#include <cerrno>
#include <cstring>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace forebay::net::testing {

/// Longer than any test should take: reaching it is the failure.
inline Deadline patience() {
  return Deadline::after(std::chrono::seconds{20});
}
/// A deadline that a test wants to see pass.
inline Deadline soon() {
  return Deadline::after(milliseconds{30});
}

inline std::span<std::byte> writable(std::string& text) {
  return std::as_writable_bytes(std::span{text.data(), text.size()});
}
inline std::string to_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class NetTest : public ::testing::Test {
 protected:
  ~NetTest() override {
    EXPECT_TRUE(pool_.drain(patience()));
    pool_.stop();
  }

  runtime::WorkerPool& pool() { return pool_; }

  /// Runs `body(args...)`, a captureless coroutine lambda, on a worker and waits for its end.
  template <class... Args>
  void run(Task<void> (*body)(Args...), std::type_identity_t<Args>... args) {
    auto ended = std::make_shared<std::promise<void>>();
    auto end = ended->get_future();
    pool_.spawn_on(0, "test", &NetTest::run_body<Args...>, body, std::move(ended),
                   std::move(args)...);
    end.get();
  }

 private:
  template <class... Args>
  static Task<void> run_body(Task<void> (*body)(Args...), std::shared_ptr<std::promise<void>> ended,
                             Args... args) {
    try {
      co_await body(std::move(args)...);
      ended->set_value();
    } catch (...) {
      ended->set_exception(std::current_exception());
    }
  }

  runtime::WorkerPool pool_{runtime::Config{.workers = 2}};
};

/// Gives every connection to a captureless coroutine lambda, with a context it may use.
template <class Context>
class LambdaHandler final : public ConnectionHandler {
 public:
  using Body = Task<void> (*)(std::unique_ptr<Stream>, Context*);
  LambdaHandler(Body body, Context* context) : body_{body}, context_{context} {}
  Task<void> serve(std::unique_ptr<Stream> stream) override {
    co_await body_(std::move(stream), context_);
  }

 private:
  Body body_;
  Context* context_;
};

inline ListenConfig loopback() {
  ListenConfig config;
  config.name = "test";
  config.address = "127.0.0.1:0";
  return config;
}

template <class Context>
std::unique_ptr<Listener> listen(runtime::WorkerPool& pool, const ListenConfig& config,
                                 std::type_identity_t<typename LambdaHandler<Context>::Body> body,
                                 Context* context) {
  auto listener =
      Listener::start(pool, config, std::make_shared<LambdaHandler<Context>>(body, context));
  return listener ? std::move(listener).value() : nullptr;
}

/// A blocking TCP client. A call that waits for half the patience of the other side is a failure.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port, int receive_buffer = 0)
      : descriptor_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    if (receive_buffer != 0)
      ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    const timeval limit{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ =
        ::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  RawClient(RawClient&& other) noexcept
      : descriptor_{std::exchange(other.descriptor_, -1)}, connected_{other.connected_} {}
  ~RawClient() { close(); }

  bool connected() const { return connected_; }
  int descriptor() const { return descriptor_; }

  bool send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = ::send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0)
        return false;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  /// "" at the end and on a reset.
  std::string receive() {
    std::array<char, 65536> buffer;
    const ssize_t got = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EAGAIN)
      ADD_FAILURE() << "nothing came, and no end";
    return got > 0 ? std::string(buffer.data(), static_cast<std::size_t>(got)) : std::string{};
  }
  std::string receive_all() {
    std::string all;
    for (std::string part = receive(); !part.empty(); part = receive())
      all += part;
    return all;
  }
  /// Until `size` bytes are there, or the end.
  std::string receive_exactly(std::size_t size) {
    std::string all(size, '\0');
    const ssize_t got = ::recv(descriptor_, all.data(), size, MSG_WAITALL);
    all.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return all;
  }
  void end_sending() { ::shutdown(descriptor_, SHUT_WR); }
  void reset() {
    const linger hard{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close();
  }
  void close() {
    if (descriptor_ >= 0)
      ::close(std::exchange(descriptor_, -1));
  }

 private:
  int descriptor_;
  bool connected_ = false;
};

}  // namespace forebay::net::testing
