#include "net/receive_buffer.hpp"
#include "net_fixture.hpp"
#include "tls_fixture.hpp"

#include <forebay/base/errc.hpp>
#include <forebay/net/connect.hpp>

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <poll.h>

namespace forebay::net::testing {
namespace {

TEST(ParseHostPort, TakesNamesAndAddresses) {
  struct Case {
    std::string text;
    std::string host;
    std::uint16_t port;
  };
  const std::vector<Case> good{{"origin.example:443", "origin.example", 443},
                               {"192.0.2.1:80", "192.0.2.1", 80},
                               {"[2001:db8::1]:65535", "2001:db8::1", 65535},
                               {"[::]:0", "::", 0}};
  for (const Case& c : good) {
    SCOPED_TRACE(c.text);
    const auto endpoint = parse_host_port(c.text);
    ASSERT_TRUE(endpoint);
    EXPECT_EQ(endpoint.value().host, c.host);
    EXPECT_EQ(endpoint.value().port, c.port);
    EXPECT_FALSE(endpoint.value().tls);
  }
  for (const char* bad : {"", "host", ":80", "host:", "host:x", "host:65536", "host:-1", "host:8 ",
                          "2001:db8::1:80", "[]:80", "[host]:80", "[::1]", "[::1:80"}) {
    SCOPED_TRACE(bad);
    EXPECT_EQ(parse_host_port(bad).error(), Errc::invalid_config);
  }
}

TEST(ReceiveBuffer, IsFixed) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(::bind(listener, any, size), 0);
  ASSERT_EQ(::listen(listener, 1), 0);
  ASSERT_EQ(::getsockname(listener, any, &size), 0);
  const int sender = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(::connect(sender, any, size), 0);
  const int receiver = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  const auto capacity = [receiver] {
    int bytes = 0;
    socklen_t length = sizeof bytes;
    EXPECT_EQ(::getsockopt(receiver, SOL_SOCKET, SO_RCVBUF, &bytes, &length), 0);
    return static_cast<std::uint64_t>(bytes);
  };
  ASSERT_TRUE(fix_receive_buffer(receiver, 1 * MiB)) << "needs Linux 5.14";
  EXPECT_EQ(capacity(), 1 * MiB);
  // A reader that keeps up has the kernel raise a buffer that is not fixed.
  std::string piece(64 * KiB, 'x');
  for (int i = 0; i < 1'000; ++i) {
    ASSERT_EQ(::send(sender, piece.data(), piece.size(), 0), static_cast<ssize_t>(piece.size()));
    ASSERT_EQ(::recv(receiver, piece.data(), piece.size(), MSG_WAITALL),
              static_cast<ssize_t>(piece.size()));
  }
  EXPECT_EQ(capacity(), 1 * MiB);
  // What is announced is the first byte, not half a buffer.
  ASSERT_EQ(::send(sender, "x", 1, 0), 1);
  pollfd readable{.fd = receiver, .events = POLLIN, .revents = 0};
  EXPECT_EQ(::poll(&readable, 1, 10'000), 1);
  for (const int descriptor : {listener, sender, receiver})
    ::close(descriptor);
}

struct Attempt {
  Endpoint endpoint;
  std::shared_ptr<const TlsContext> tls = {};
  Deadline deadline = patience();
  Error error = {};
  std::string answer = {};
};

class ConnectTest : public NetTest {
 protected:
  /// Connects, sends "ping", and keeps what comes back.
  void attempt(Attempt& attempt) {
    run(
        +[](Attempt* what) -> Task<void> {
          auto stream = co_await connect(what->endpoint, what->tls.get(), what->deadline);
          if (!stream) {
            what->error = stream.error();
            co_return;
          }
          const auto sent = co_await stream.value()->write_all("ping", patience());
          EXPECT_TRUE(sent);
          what->answer.resize(100);
          const auto got = co_await stream.value()->read_some(writable(what->answer), patience());
          what->answer.resize(got ? got.value() : 0);
        },
        &attempt);
  }
};

Task<void> answer(std::unique_ptr<Stream> stream, const std::string* text) {
  std::string buffer(4, '\0');
  const auto got = co_await stream->read_some(writable(buffer), patience());
  if (!got)
    co_return;  // The client refused us.
  const auto sent = co_await stream->write_all(*text, patience());
  EXPECT_TRUE(sent);
  co_await stream->shutdown_gracefully(patience());
}

const std::string kPong = "pong";

TEST_F(ConnectTest, ReachesAnAddressAndAName) {
  const auto listener = listen(pool(), loopback(), answer, &kPong);
  for (const char* host : {"127.0.0.1", "localhost", "localhost"}) {
    SCOPED_TRACE(host);
    Attempt made{.endpoint = {.host = host, .port = listener->port()}};
    attempt(made);
    EXPECT_EQ(made.error, Error{});
    EXPECT_EQ(made.answer, "pong");
  }
}

TEST_F(ConnectTest, ReportsWhyItCannot) {
  std::uint16_t refused_port = 0;
  {
    const auto gone = listen(pool(), loopback(), answer, &kPong);
    refused_port = gone->port();
  }
  ASSERT_TRUE(pool().drain(patience()));
  Attempt refused{.endpoint = {.host = "127.0.0.1", .port = refused_port}};
  attempt(refused);
  EXPECT_EQ(refused.error, Errc::unavailable);
  Attempt unknown{.endpoint = {.host = "no-such-host.invalid", .port = 80}};
  attempt(unknown);
  EXPECT_EQ(unknown.error, Errc::unavailable);
  Attempt late{.endpoint = {.host = "127.0.0.1", .port = refused_port},
               .deadline = Deadline::after(milliseconds{-1})};
  attempt(late);
  EXPECT_EQ(late.error, Errc::timeout);
}

TEST_F(ConnectTest, VerifiesTheServersCertificateAndName) {
  const TestCertificate certificate;
  const TestCertificate stranger;
  const auto listener = listen(pool(), loopback(certificate), answer, &kPong);
  const auto trusted = TlsContext::client(certificate.certificate_file()).value();
  struct Case {
    const char* name;
    const char* host;
    std::shared_ptr<const TlsContext> tls;
    bool good;
  };
  const std::vector<Case> cases{
      {"by name", "localhost", trusted, true},
      {"by address", "127.0.0.1", trusted, true},
      {"another address", "127.0.0.2", trusted, false},
      {"unknown authority", "localhost", TlsContext::client(stranger.certificate_file()).value(),
       false},
      {"system authorities", "localhost", TlsContext::client("").value(), false},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    Attempt made{.endpoint = {.host = c.host, .port = listener->port(), .tls = true}, .tls = c.tls};
    attempt(made);
    EXPECT_EQ(made.error, c.good ? Error{} : Error{Errc::unavailable});
    EXPECT_EQ(made.answer, c.good ? "pong" : "");
  }
}

TEST_F(ConnectTest, ATrustedCertificateForAnotherNameIsRefused) {
  const TestCertificate certificate{"DNS:other.example,IP:192.0.2.1"};
  const auto listener = listen(pool(), loopback(certificate), answer, &kPong);
  for (const char* host : {"localhost", "127.0.0.1"}) {
    SCOPED_TRACE(host);
    Attempt made{.endpoint = {.host = host, .port = listener->port(), .tls = true},
                 .tls = TlsContext::client(certificate.certificate_file()).value()};
    attempt(made);
    EXPECT_EQ(made.error, Errc::unavailable);
  }
}

TEST_F(ConnectTest, AServerThatNeverShakesHandsTimesOut) {
  const TestCertificate certificate;
  const auto listener = listen(
      pool(), loopback(),
      +[](std::unique_ptr<Stream> stream, const std::string*) -> Task<void> {
        co_await stream->shutdown_gracefully(patience());
      },
      &kPong);
  // The server ends its side: without an answer the handshake fails rather than hangs.
  Attempt ended{.endpoint = {.host = "localhost", .port = listener->port(), .tls = true},
                .tls = TlsContext::client(certificate.certificate_file()).value()};
  attempt(ended);
  EXPECT_EQ(ended.error, Errc::unavailable);
  const auto silent = listen(
      pool(), loopback(),
      +[](std::unique_ptr<Stream> stream, const std::string*) -> Task<void> {
        std::string buffer(4096, '\0');
        Result<std::size_t> got = std::size_t{1};
        while (got)
          got = co_await stream->read_some(writable(buffer), patience());
      },
      &kPong);
  Attempt stalled{.endpoint = {.host = "localhost", .port = silent->port(), .tls = true},
                  .tls = ended.tls,
                  .deadline = soon()};
  attempt(stalled);
  EXPECT_EQ(stalled.error, Errc::timeout);
}

}  // namespace
}  // namespace forebay::net::testing
