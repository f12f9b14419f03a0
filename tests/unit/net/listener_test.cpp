#include "net_fixture.hpp"

#include <forebay/base/errc.hpp>
#include <forebay/base/metrics.hpp>
#include <forebay/net/http_reader.hpp>
#include <forebay/net/listener.hpp>

#include <atomic>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace forebay::net::testing {
namespace {

class ListenerTest : public NetTest {};

struct Session {
  std::atomic<int> begun{0};
  std::mutex mutex;
  std::set<std::size_t> workers;
};

/// A keep-alive loop as the proxy's sessions are: answers each request with its target.
Task<void> serve(std::unique_ptr<Stream> stream, Session* session) {
  ++session->begun;
  {
    const std::lock_guard lock{session->mutex};
    session->workers.insert(runtime::Worker::current().index());
  }
  HttpReader reader{*stream};
  while (!stream->interrupted()) {
    const auto head = co_await reader.read_request(patience(), milliseconds{10'000});
    if (!head)
      co_return;
    const auto sent = co_await stream->write_all(head.value().target, patience());
    if (!sent)
      co_return;
  }
}

const std::string kRequest = "GET /abc HTTP/1.1\r\nHost: a\r\n\r\n";

TEST_F(ListenerTest, SpreadsConnectionsOverTheWorkers) {
  Session session;
  const auto listener = listen(pool(), loopback(), serve, &session);
  std::vector<RawClient> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back(listener->port());
    ASSERT_TRUE(clients.back().send(kRequest));
    ASSERT_EQ(clients.back().receive_exactly(4), "/abc");
  }
  EXPECT_EQ(session.workers.size(), pool().size());
  EXPECT_EQ(pool().worker(0).connections, 4U);
  EXPECT_EQ(pool().worker(1).connections, 4U);
  EXPECT_EQ(listener->connections(), 8U);
}

TEST_F(ListenerTest, StopEndsIdleConnectionsAndRefusesNewOnes) {
  Session session;
  auto listener = listen(pool(), loopback(), serve, &session);
  const std::uint16_t port = listener->port();
  RawClient idle{port};
  ASSERT_TRUE(idle.send(kRequest));
  ASSERT_EQ(idle.receive_exactly(4), "/abc");
  listener->stop();
  EXPECT_EQ(idle.receive_all(), "");
  EXPECT_TRUE(pool().drain(patience()));
  EXPECT_EQ(listener->connections(), 0U);
  EXPECT_FALSE(RawClient{port}.connected());
}

struct Slow {
  std::promise<void> reading;
};

TEST_F(ListenerTest, StopLetsAnExchangeInProgressEnd) {
  Slow slow;
  auto listener = listen(
      pool(), loopback(),
      +[](std::unique_ptr<Stream> stream, Slow* out) -> Task<void> {
        HttpReader reader{*stream};
        const auto head = co_await reader.read_request(patience(), milliseconds{10'000});
        EXPECT_TRUE(head);
        const http::BodyFraming framing{.framing = http::Framing::length, .length = 4};
        reader.set_body(framing);
        out->reading.set_value();
        std::string body(4, '\0');
        const auto got = co_await reader.read_body(writable(body), patience());
        EXPECT_TRUE(got && got.value() == 4);
        EXPECT_TRUE(stream->interrupted());
        const auto sent = co_await stream->write_all(body, patience());
        EXPECT_TRUE(sent);
        const auto next = co_await reader.read_request(patience(), milliseconds{10'000});
        EXPECT_EQ(next.error(), Errc::cancelled);
      },
      &slow);
  RawClient client{listener->port()};
  ASSERT_TRUE(client.send(kRequest));
  slow.reading.get_future().get();
  listener->stop();
  pool().run_on_each([](runtime::Worker&) {});
  ASSERT_TRUE(client.send("body"));
  EXPECT_EQ(client.receive_all(), "body");
}

TEST_F(ListenerTest, ConnectionsBeyondTheLimitWaitTheirTurn) {
  Session session;
  ListenConfig config = loopback();
  config.max_connections = 2;
  const auto listener = listen(pool(), config, serve, &session);
  std::vector<RawClient> clients;
  for (int i = 0; i < 5; ++i) {
    clients.emplace_back(listener->port());
    ASSERT_TRUE(clients.back().send(kRequest));
  }
  for (RawClient& client : clients) {
    EXPECT_EQ(client.receive_exactly(4), "/abc");
    EXPECT_LE(listener->connections(), 2U);
    client.close();
  }
  EXPECT_EQ(session.begun, 5);
}

/// Leaves the process without free descriptors while it lives.
class DescriptorShortage {
 public:
  DescriptorShortage() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const int next = ::dup(0);
    ::close(next);
    const rlimit none{.rlim_cur = static_cast<rlim_t>(next), .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  ~DescriptorShortage() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(ListenerTest, SurvivesAShortageOfDescriptors) {
  Session session;
  const auto listener = listen(pool(), loopback(), serve, &session);
  auto& failures = metrics::Registry::instance().counter("forebay_net_accept_failures_total", "",
                                                         {{"listener", "test"}});
  const auto before = failures.value();
  RawClient served{listener->port()};
  ASSERT_TRUE(served.send(kRequest));
  ASSERT_EQ(served.receive_exactly(4), "/abc");
  // The newcomer's own descriptor takes the last free number.
  const int placeholder = ::dup(0);
  auto shortage = std::make_unique<DescriptorShortage>();
  ::close(placeholder);
  RawClient newcomer{listener->port()};
  ASSERT_TRUE(newcomer.connected());
  ASSERT_TRUE(newcomer.send(kRequest));
  while (failures.value() == before)
    std::this_thread::yield();
  ASSERT_TRUE(served.send(kRequest));
  EXPECT_EQ(served.receive_exactly(4), "/abc") << "who is connected is not disturbed";
  shortage.reset();
  EXPECT_EQ(newcomer.receive_exactly(4), "/abc");
}

TEST_F(ListenerTest, ServesNewcomersInAShortageOfDescriptors) {
  Session session;
  ListenConfig config = loopback();
  config.kept_descriptors = 1;
  const auto listener = listen(pool(), config, serve, &session);
  const int placeholder = ::dup(0);
  const DescriptorShortage shortage;
  for (int i = 0; i < 3; ++i) {
    // The client's own descriptor is the last that is free.
    ::close(placeholder);
    RawClient newcomer{listener->port()};
    ASSERT_TRUE(newcomer.send(kRequest));
    EXPECT_EQ(newcomer.receive_exactly(4), "/abc");
    newcomer.close();
    while (listener->connections() != 0)
      std::this_thread::yield();
  }
}

TEST_F(ListenerTest, SaysWhatItCannotListenOn) {
  Session session;
  const auto listener = listen(pool(), loopback(), serve, &session);
  for (const std::string& address :
       {std::string{"nonsense"}, std::string{"192.0.2.1:0"}, std::string{"no-such-host.invalid:1"},
        "127.0.0.1:" + std::to_string(listener->port())}) {
    SCOPED_TRACE(address);
    ListenConfig config = loopback();
    config.address = address;
    EXPECT_EQ(listen(pool(), config, serve, &session), nullptr);
  }
  ListenConfig no_files = loopback();
  no_files.certificate_file = "/nonexistent";
  EXPECT_EQ(listen(pool(), no_files, serve, &session), nullptr);
}

TEST_F(ListenerTest, ListensOnIpv6) {
  Session session;
  ListenConfig config = loopback();
  config.address = "[::1]:0";
  const auto listener = listen(pool(), config, serve, &session);
  if (!listener)
    GTEST_SKIP() << "no IPv6 loopback here";
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(listener->port());
  address.sin6_addr = in6addr_loopback;
  const int descriptor = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(::send(descriptor, kRequest.data(), kRequest.size(), 0),
            static_cast<ssize_t>(kRequest.size()));
  std::array<char, 4> answer{};
  EXPECT_EQ(::recv(descriptor, answer.data(), answer.size(), MSG_WAITALL), 4);
  ::close(descriptor);
}

}  // namespace
}  // namespace forebay::net::testing
