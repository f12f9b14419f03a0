#include "client_fixture.hpp"

#include <atomic>
#include <vector>

namespace forebay::origin::testing {
namespace {

using test::LoopbackOrigin;
using test::Peer;

TEST_F(ClientTest, SendsTheHeadWithHostAndReadsTheAnswer) {
  std::string seen;
  LoopbackOrigin origin{[&seen](Peer& peer, std::size_t) {
    seen = peer.receive_head();
    peer.send("HTTP/1.1 206 Partial Content\r\nETag: \"e\"\r\nContent-Length: 3\r\n\r\nabc");
    peer.receive_end();
  }};
  Client& client = connect(origin.endpoint());
  const double sent_before = metric("forebay_origin_requests_total", "lookup");
  const double in_before = metric("forebay_origin_bytes_total", "in");
  run([&]() -> Task<void> {
    http::ResponseHead answer;
    http::RequestHead head = request("GET", "/b/k?x=%20");
    head.headers.add("Range", "bytes=0-2");
    const Deadline deadline = patience();
    auto exchange = co_await client.get(std::move(head), Reason::lookup, deadline, answer);
    if (!exchange)
      throw std::runtime_error{exchange.error().message()};
    EXPECT_EQ(answer.status, 206);
    EXPECT_EQ(answer.headers.value_or_empty("etag"), "\"e\"");
    EXPECT_EQ(exchange.value()->framing().framing, http::Framing::length);
    EXPECT_EQ(exchange.value()->framing().length, 3);
    const auto body = co_await read_all(*exchange.value());
    EXPECT_EQ(body.value(), "abc");
  });
  EXPECT_EQ(seen, "GET /b/k?x=%20 HTTP/1.1\r\nRange: bytes=0-2\r\nHost: 127.0.0.1:" +
                      std::to_string(origin.port()) + "\r\n\r\n");
  EXPECT_EQ(metric("forebay_origin_requests_total", "lookup"), sent_before + 1);
  EXPECT_EQ(metric("forebay_origin_bytes_total", "in"), in_before + 3);
}

TEST_F(ClientTest, KeepsAHostThatIsThere) {
  std::string seen;
  LoopbackOrigin origin{[&seen](Peer& peer, std::size_t) {
    seen = peer.receive_head();
    peer.send(ok(""));
    peer.receive_end();
  }};
  Client& client = connect(origin.endpoint());
  run([&]() -> Task<void> {
    http::ResponseHead answer;
    http::RequestHead head = request("GET", "/");
    head.headers.add("host", "signed.example");
    const Deadline deadline = patience();
    auto exchange = co_await client.get(std::move(head), Reason::lookup, deadline, answer);
    EXPECT_TRUE(exchange);
  });
  EXPECT_EQ(seen, "GET / HTTP/1.1\r\nhost: signed.example\r\n\r\n");
}

TEST_F(ClientTest, UsesAConnectionAgainWhereItsAnswerAllows) {
  struct Case {
    std::string name;
    std::string method;
    std::string answer;
    bool reused;
  };
  const std::vector<Case> cases{
      {"length", "GET", ok("body"), true},
      {"no body", "GET", "HTTP/1.1 204 No Content\r\n\r\n", true},
      {"not modified", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", true},
      {"HEAD", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", true},
      {"chunked", "GET",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n", true},
      {"close", "GET", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", false},
      {"close among others", "GET",
       "HTTP/1.1 200 OK\r\nConnection: te, Close\r\nContent-Length: 0\r\n\r\n", false},
      {"only named like close", "GET",
       "HTTP/1.1 200 OK\r\nConnection: closely\r\nContent-Length: 0\r\n\r\n", true},
      {"HTTP/1.0", "GET", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", false},
      {"bytes after the body", "GET", ok("body") + "x", false},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    LoopbackOrigin origin{[&c](Peer& peer, std::size_t) {
      while (!peer.receive_head().empty())
        peer.send(c.answer);
    }};
    Client& client = connect(origin.endpoint());
    for (int round = 0; round < 2; ++round) {
      run([&]() -> Task<void> {
        http::ResponseHead answer;
        http::RequestHead head = request(c.method, "/");
        if (c.name == "not modified")
          head.headers.add("If-None-Match", "\"etag\"");
        const Deadline deadline = patience();
        auto exchange = co_await client.get(std::move(head), Reason::fill, deadline, answer);
        if (!exchange)
          throw std::runtime_error{exchange.error().message()};
        const auto body = co_await read_all(*exchange.value());
        EXPECT_TRUE(body);
      });
    }
    EXPECT_EQ(origin.accepted(), c.reused ? 1 : 2);
    disconnect();
  }
}

TEST_F(ClientTest, ReadsABodyThatTheConnectionsEndDelimits) {
  LoopbackOrigin origin{[](Peer& peer, std::size_t) {
    peer.receive_head();
    peer.send("HTTP/1.1 200 OK\r\n\r\nall of it");
  }};
  connect(origin.endpoint());
  EXPECT_EQ(fetched("/"), "all of it");
  EXPECT_EQ(metric("forebay_origin_connections", "idle"), 0);
  EXPECT_EQ(fetched("/"), "all of it");
  EXPECT_EQ(origin.accepted(), 2);
}

TEST_F(ClientTest, ReplacesAPooledConnectionThatWasClosed) {
  for (const bool hard : {false, true}) {
    SCOPED_TRACE(hard ? "reset" : "end");
    LoopbackOrigin origin{[hard](Peer& peer, std::size_t number) {
      if (number != 0)
        return echo_targets(peer);
      peer.receive_head();
      peer.send(ok("/first"));
      if (hard)
        peer.reset();
    }};
    // The replacement must not need a second place.
    config.max_connections = 1;
    connect(origin.endpoint());
    EXPECT_EQ(fetched("/first"), "/first");
    EXPECT_TRUE(origin.wait_ended(1));
    EXPECT_EQ(fetched("/second"), "/second");
    EXPECT_EQ(origin.accepted(), 2);
    disconnect();
  }
}

/// Answers one request, and ends the first connection as the second request comes.
void end_at_second_request(Peer& peer, std::size_t number, bool hard, std::string_view before) {
  if (number != 0)
    return echo_targets(peer);
  peer.receive_head();
  peer.send(ok("/first"));
  peer.receive_head();
  peer.send(before);
  if (hard)
    peer.reset();
}

TEST_F(ClientTest, RepeatsAGetThatAPooledConnectionDidNotAnswer) {
  for (const bool hard : {false, true}) {
    SCOPED_TRACE(hard ? "reset" : "end");
    LoopbackOrigin origin{
        [hard](Peer& peer, std::size_t number) { end_at_second_request(peer, number, hard, ""); }};
    // The replacement must not need a second place.
    config.max_connections = 1;
    connect(origin.endpoint());
    EXPECT_EQ(fetched("/first"), "/first");
    EXPECT_EQ(fetched("/second"), "/second");
    EXPECT_EQ(origin.accepted(), 2);
    disconnect();
  }
}

/// The error of a GET.
Task<Error> failure(Client& client, Deadline deadline) {
  http::ResponseHead answer;
  http::RequestHead head = request("GET", "/failing");
  auto exchange = co_await client.get(std::move(head), Reason::fill, deadline, answer);
  if (!exchange)
    co_return exchange.error();
  const auto body = co_await read_all(*exchange.value());
  co_return body ? Error{} : body.error();
}

TEST_F(ClientTest, RepeatsNothingThatWasAnsweredInPart) {
  for (const std::string_view before : {"HTTP/1.1 2", "HTTP/1.1 100 Continue\r\n\r\n"}) {
    SCOPED_TRACE(before);
    LoopbackOrigin origin{[before](Peer& peer, std::size_t number) {
      end_at_second_request(peer, number, false, before);
    }};
    Client& client = connect(origin.endpoint());
    EXPECT_EQ(fetched("/first"), "/first");
    run([&]() -> Task<void> {
      const Error error = co_await failure(client, patience());
      EXPECT_TRUE(error == Errc::truncated || error == Errc::closed) << error.message();
    });
    EXPECT_EQ(origin.accepted(), 1);
    disconnect();
  }
}

TEST_F(ClientTest, RepeatsNoGetOnAFreshConnection) {
  LoopbackOrigin origin{[](Peer& peer, std::size_t) { peer.receive_head(); }};
  Client& client = connect(origin.endpoint());
  run([&]() -> Task<void> {
    const Error error = co_await failure(client, patience());
    EXPECT_EQ(error, Errc::closed);
  });
  EXPECT_EQ(origin.accepted(), 1);
}

TEST_F(ClientTest, RepeatsNoWriteThatWasSent) {
  LoopbackOrigin origin{
      [](Peer& peer, std::size_t number) { end_at_second_request(peer, number, false, ""); }};
  Client& client = connect(origin.endpoint());
  EXPECT_EQ(fetched("/first"), "/first");
  run([&]() -> Task<void> {
    auto exchange = co_await client.send(put(5), Reason::forward, patience());
    if (!exchange)
      throw std::runtime_error{exchange.error().message()};
    const auto written = co_await exchange.value()->write_body(bytes_of("bytes"), patience());
    EXPECT_TRUE(written || written.error() == Errc::closed);
    const auto answer = co_await exchange.value()->read_head(patience());
    EXPECT_EQ(answer.error(), Errc::closed);
  });
  // A DELETE has no body, but side effects all the same.
  LoopbackOrigin other{
      [](Peer& peer, std::size_t number) { end_at_second_request(peer, number, false, ""); }};
  disconnect();
  Client& second = connect(other.endpoint());
  EXPECT_EQ(fetched("/first"), "/first");
  run([&]() -> Task<void> {
    http::RequestHead head = request("DELETE", "/b/k");
    auto exchange = co_await second.send(std::move(head), Reason::forward, patience());
    if (!exchange)
      throw std::runtime_error{exchange.error().message()};
    const auto answer = co_await exchange.value()->read_head(patience());
    EXPECT_EQ(answer.error(), Errc::closed);
  });
  EXPECT_EQ(origin.accepted(), 1);
  EXPECT_EQ(other.accepted(), 1);
}

TEST_F(ClientTest, ReplacesAStaleConnectionBeforeAWrite) {
  LoopbackOrigin origin{[](Peer& peer, std::size_t number) {
    peer.receive_head();
    if (number != 0)
      peer.receive(5);
    peer.send(ok("/first"));
  }};
  Client& client = connect(origin.endpoint());
  EXPECT_EQ(fetched("/first"), "/first");
  EXPECT_TRUE(origin.wait_ended(1));
  run([&]() -> Task<void> {
    auto exchange = co_await client.send(put(5), Reason::forward, patience());
    if (!exchange)
      throw std::runtime_error{exchange.error().message()};
    const auto written = co_await exchange.value()->write_body(bytes_of("bytes"), patience());
    EXPECT_TRUE(written);
    const auto answer = co_await exchange.value()->read_head(patience());
    EXPECT_EQ(answer.value().status, 200);
  });
}

TEST_F(ClientTest, TellsHowAnAnswerFails) {
  struct Case {
    std::string name;
    std::string answer;
    bool stays_open;
    Errc error;
    std::string kind;
  };
  const std::string big(2 * MiB, 'x');
  const std::string hundred = "HTTP/1.1 100 Continue\r\n\r\n";
  std::string hundreds;
  for (int i = 0; i < 100; ++i)
    hundreds += hundred;
  const std::vector<Case> cases{
      {"nothing", "", false, Errc::closed, "truncated"},
      {"cut head", "HTTP/1.1 200 O", false, Errc::truncated, "truncated"},
      {"cut body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n1234", false, Errc::truncated,
       "truncated"},
      {"cut chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n1234", false,
       Errc::truncated, "truncated"},
      {"no last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n", false,
       Errc::truncated, "truncated"},
      {"garbage", "SSH-2.0-OpenSSH_9.2\r\n\r\n", true, Errc::protocol, "protocol"},
      {"bad chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", true,
       Errc::protocol, "protocol"},
      {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", true,
       Errc::protocol, "protocol"},
      {"2 MiB head", "HTTP/1.1 200 OK\r\nX: " + big + "\r\n\r\n", true, Errc::too_large,
       "protocol"},
      {"100s without end", hundreds, true, Errc::protocol, "protocol"},
      {"silence", "", true, Errc::timeout, "timeout"},
      {"silence in the head", "HTTP/1.1 200 OK\r\n", true, Errc::timeout, "timeout"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    std::atomic<bool> closed{false};
    LoopbackOrigin origin{[&](Peer& peer, std::size_t) {
      peer.receive_head();
      peer.send(c.answer);
      if (c.stays_open)
        closed = peer.receive_end();
    }};
    Client& client = connect(origin.endpoint());
    const double before = errors(c.kind);
    run([&]() -> Task<void> {
      const Deadline deadline = c.error == Errc::timeout ? soon() : patience();
      const Error error = co_await failure(client, deadline);
      EXPECT_EQ(error, c.error) << error.message();
    });
    EXPECT_EQ(errors(c.kind), before + 1);
    // Closed by the client: such a connection is used for nothing else.
    EXPECT_TRUE(origin.wait_ended(1));
    EXPECT_EQ(closed, c.stays_open);
    disconnect();
  }
}

TEST_F(ClientTest, PassesOverUnsolicited100s) {
  LoopbackOrigin origin{[](Peer& peer, std::size_t) {
    peer.receive_head();
    peer.send(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
        "HTTP/1.1 100 Continue\r\n\r\n" +
        ok("at last"));
    peer.receive_end();
  }};
  connect(origin.endpoint());
  EXPECT_EQ(fetched("/"), "at last");
}

TEST_F(ClientTest, ABodyThatIsNotReadToItsEndClosesTheConnection) {
  std::atomic<bool> closed{false};
  LoopbackOrigin origin{[&closed](Peer& peer, std::size_t number) {
    if (number != 0)
      return echo_targets(peer);
    peer.receive_head();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nsome");
    closed = peer.receive_end();
  }};
  Client& client = connect(origin.endpoint());
  run([&]() -> Task<void> {
    http::ResponseHead answer;
    http::RequestHead head = request("GET", "/");
    const Deadline deadline = patience();
    auto exchange = co_await client.get(std::move(head), Reason::fill, deadline, answer);
    EXPECT_TRUE(exchange);
    std::array<std::byte, 100> buffer;
    const auto got = co_await exchange.value()->read_body(buffer, patience());
    EXPECT_TRUE(got);
  });
  EXPECT_TRUE(origin.wait_ended(1));
  EXPECT_TRUE(closed);
  EXPECT_EQ(fetched("/next"), "/next");
}

TEST_F(ClientTest, ANodeThatCannotConnectSaysUnavailable) {
  std::string gone;
  {
    const LoopbackOrigin origin{[](Peer&, std::size_t) {}};
    gone = origin.endpoint();
  }
  Client& client = connect(gone);
  const double before = errors("connect");
  run([&]() -> Task<void> {
    const Error error = co_await failure(client, patience());
    EXPECT_EQ(error, Errc::unavailable);
  });
  EXPECT_EQ(errors("connect"), before + 1);
}

TEST(ClientCreate, RefusesAnEndpointOrAuthorityItCannotUse) {
  for (const char* endpoint : {"", "host:80", "ftp://host", "http://", "http://host/path",
                               "http://host:0x", "http://host:99999", "HTTP//host"}) {
    SCOPED_TRACE(endpoint);
    OriginConfig config;
    config.endpoint = endpoint;
    EXPECT_EQ(Client::create(config).error(), Errc::invalid_config);
  }
  OriginConfig config;
  config.endpoint = "https://host";
  config.ca_file = "/nonexistent/ca.pem";
  EXPECT_EQ(Client::create(config).error(), Errc::invalid_config);
}

TEST(ClientCreate, NamesTheHostAsTheHostFieldWantsIt) {
  struct Case {
    std::string endpoint;
    std::string host;
  };
  const std::vector<Case> cases{{"http://origin.example", "origin.example"},
                                {"http://origin.example/", "origin.example"},
                                {"http://origin.example:80", "origin.example"},
                                {"http://origin.example:443", "origin.example:443"},
                                {"https://origin.example:443", "origin.example"},
                                {"https://origin.example:80", "origin.example:80"},
                                {"http://[2001:db8::1]", "[2001:db8::1]"},
                                {"http://[2001:db8::1]:80", "[2001:db8::1]"},
                                {"http://[2001:db8::1]:7480", "[2001:db8::1]:7480"}};
  for (const Case& c : cases) {
    SCOPED_TRACE(c.endpoint);
    OriginConfig config;
    config.endpoint = c.endpoint;
    EXPECT_EQ(Client::create(config).value()->route("/bucket/key").host, c.host);
  }
}

}  // namespace
}  // namespace forebay::origin::testing
