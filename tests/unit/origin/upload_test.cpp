// Requests with a body: framing, 100 Continue, answers that come before the body's end.
#include "client_fixture.hpp"

#include <forebay/net/connect.hpp>

#include <atomic>
#include <future>
#include <stdexcept>

namespace forebay::origin::testing {
namespace {

using test::LoopbackOrigin;
using test::Peer;

constexpr std::string_view kContinueAnswer = "HTTP/1.1 100 Continue\r\n\r\n";

/// send(), which these tests need to succeed.
Task<std::unique_ptr<Exchange>> opened(Client& client, http::RequestHead head) {
  const Deadline deadline = patience();
  auto exchange = co_await client.send(std::move(head), Reason::forward, deadline);
  if (!exchange)
    throw std::runtime_error{exchange.error().message()};
  co_return std::move(exchange).value();
}

TEST_F(ClientTest, SendsABodyOfKnownLengthAndUsesTheConnectionAgain) {
  std::string body;
  LoopbackOrigin origin{[&body](Peer& peer, std::size_t) {
    peer.receive_head();
    body = peer.receive(10);
    peer.send(ok(""));
    echo_targets(peer);
  }};
  Client& client = connect(origin.endpoint());
  const double out_before = metric("forebay_origin_bytes_total", "out");
  run([&]() -> Task<void> {
    auto exchange = co_await opened(client, put(10));
    auto written = co_await exchange->write_body(bytes_of("01234"), patience());
    EXPECT_TRUE(written);
    EXPECT_FALSE(exchange->response_pending());
    written = co_await exchange->write_body(bytes_of("56789"), patience());
    EXPECT_TRUE(written);
    const auto finished = co_await exchange->finish_body(patience());
    EXPECT_TRUE(finished);
    const auto answer = co_await exchange->read_head(patience());
    EXPECT_EQ(answer.value().status, 200);
  });
  EXPECT_EQ(body, "0123456789");
  EXPECT_EQ(metric("forebay_origin_bytes_total", "out"), out_before + 10);
  EXPECT_EQ(fetched("/next"), "/next");
  EXPECT_EQ(origin.accepted(), 1);
}

TEST_F(ClientTest, SendsChunksWhereTheHeadSaysSo) {
  const std::string expected = "5\r\nhello\r\n0\r\n\r\n";
  std::string body;
  LoopbackOrigin origin{[&](Peer& peer, std::size_t) {
    peer.receive_head();
    body = peer.receive(expected.size());
    peer.send(ok(""));
    echo_targets(peer);
  }};
  Client& client = connect(origin.endpoint());
  run([&]() -> Task<void> {
    http::RequestHead head = request("PUT", "/b/k");
    head.headers.add("Transfer-Encoding", "chunked");
    auto exchange = co_await opened(client, std::move(head));
    const auto written = co_await exchange->write_body(bytes_of("hello"), patience());
    EXPECT_TRUE(written);
    const auto finished = co_await exchange->finish_body(patience());
    EXPECT_TRUE(finished);
    const auto answer = co_await exchange->read_head(patience());
    EXPECT_EQ(answer.value().status, 200);
  });
  EXPECT_EQ(body, expected);
  EXPECT_EQ(fetched("/next"), "/next");
  EXPECT_EQ(origin.accepted(), 1);
}

TEST_F(ClientTest, Reports100ContinueBeforeTheBody) {
  LoopbackOrigin origin{[](Peer& peer, std::size_t) {
    peer.receive_head();
    peer.send(kContinueAnswer);
    peer.receive(5);
    peer.send(ok(""));
    peer.receive_end();
  }};
  Client& client = connect(origin.endpoint());
  run([&]() -> Task<void> {
    http::RequestHead head = put(5);
    head.headers.add("Expect", "100-continue");
    auto exchange = co_await opened(client, std::move(head));
    const auto pending = co_await exchange->wait_response(patience());
    EXPECT_TRUE(pending.value());
    auto answer = co_await exchange->read_head(patience());
    EXPECT_EQ(answer.value().status, 100);
    EXPECT_FALSE(exchange->response_pending());
    const auto written = co_await exchange->write_body(bytes_of("bytes"), patience());
    EXPECT_TRUE(written);
    const auto finished = co_await exchange->finish_body(patience());
    EXPECT_TRUE(finished);
    answer = co_await exchange->read_head(patience());
    EXPECT_EQ(answer.value().status, 200);
  });
}

TEST_F(ClientTest, WaitsForAnAnswerNoLongerThanTheDeadline) {
  LoopbackOrigin origin{[](Peer& peer, std::size_t) { peer.receive_end(); }};
  Client& client = connect(origin.endpoint());
  run([&]() -> Task<void> {
    auto exchange = co_await opened(client, put(5));
    const auto pending = co_await exchange->wait_response(soon());
    EXPECT_FALSE(pending.value());
  });
}

/// A stream on the calling worker that stands for a client's.
Task<std::unique_ptr<net::Stream>> connected(const LoopbackOrigin& peer) {
  const net::Endpoint endpoint{.host = "127.0.0.1", .port = peer.port()};
  auto stream = co_await net::connect(endpoint, nullptr, patience());
  if (!stream)
    throw std::runtime_error{stream.error().message()};
  co_return std::move(stream).value();
}

TEST_F(ClientTest, WaitsForTheAnswerAndForTheClientAtOnce) {
  std::promise<void> client_speaks;
  std::promise<void> origin_speaks;
  LoopbackOrigin origin{[&](Peer& peer, std::size_t) {
    peer.receive_head();
    origin_speaks.get_future().wait();
    peer.send(ok(""));
    peer.receive_end();
  }};
  LoopbackOrigin other_end{[&](Peer& peer, std::size_t) {
    client_speaks.get_future().wait();
    peer.send("x");
    peer.receive_end();
  }};
  Client& client = connect(origin.endpoint());
  run([&]() -> Task<void> {
    auto exchange = co_await opened(client, put(5));
    auto stream = co_await connected(other_end);
    // Time and again: a wait must leave nothing behind that disturbs the next.
    for (int i = 0; i < 3; ++i) {
      const auto waited = co_await exchange->wait_response_or(*stream, soon());
      EXPECT_EQ(waited.error(), Errc::timeout);
      const auto pending = co_await exchange->wait_response(soon());
      EXPECT_FALSE(pending.value());
      const auto readable = co_await stream->wait_readable(soon());
      EXPECT_FALSE(readable.value());
    }
    client_speaks.set_value();
    auto waited = co_await exchange->wait_response_or(*stream, patience());
    EXPECT_TRUE(waited);
    EXPECT_EQ(stream->input(), net::Input::data);
    EXPECT_FALSE(exchange->response_pending());
    std::array<std::byte, 16> buffer;
    const auto got = co_await stream->read_some(buffer, patience());
    EXPECT_EQ(got.value(), 1U);
    origin_speaks.set_value();
    waited = co_await exchange->wait_response_or(*stream, patience());
    EXPECT_TRUE(waited);
    EXPECT_EQ(stream->input(), net::Input::none);
    EXPECT_TRUE(exchange->response_pending());
  });
}

TEST_F(ClientTest, TheEndOfEitherSideEndsTheWaitForBoth) {
  for (const bool client_leaves : {false, true}) {
    SCOPED_TRACE(client_leaves);
    std::promise<void> leave;
    LoopbackOrigin origin{[&](Peer& peer, std::size_t) {
      peer.receive_head();
      if (client_leaves)
        peer.receive_end();
      else
        leave.get_future().wait();
    }};
    LoopbackOrigin other_end{[&](Peer& peer, std::size_t) {
      if (client_leaves)
        leave.get_future().wait();
      else
        peer.receive_end();
    }};
    Client& client = connect(origin.endpoint());
    run([&]() -> Task<void> {
      auto exchange = co_await opened(client, put(5));
      auto stream = co_await connected(other_end);
      leave.set_value();
      const auto waited = co_await exchange->wait_response_or(*stream, patience());
      EXPECT_TRUE(waited);
      EXPECT_EQ(stream->input(), client_leaves ? net::Input::closed : net::Input::none);
      EXPECT_EQ(exchange->response_pending(), !client_leaves);
    });
    disconnect();
  }
}

TEST_F(ClientTest, AnAnswerBehindA100IsPendingAtOnce) {
  LoopbackOrigin origin{[](Peer& peer, std::size_t) {
    peer.receive_head();
    peer.send(std::string{kContinueAnswer} + ok("early"));
    peer.receive_end();
  }};
  Client& client = connect(origin.endpoint());
  run([&]() -> Task<void> {
    auto exchange = co_await opened(client, put(5));
    auto answer = co_await exchange->read_head(patience());
    EXPECT_EQ(answer.value().status, 100);
    // Both heads came at once: nothing is left in the socket, only in the reader.
    EXPECT_TRUE(exchange->response_pending());
    const auto pending = co_await exchange->wait_response(soon());
    EXPECT_TRUE(pending.value());
    answer = co_await exchange->read_head(patience());
    EXPECT_EQ(answer.value().status, 200);
  });
}

TEST_F(ClientTest, AnEarlyAnswerToAnUploadIsSeenReadAndEndsTheConnection) {
  std::atomic<bool> closed{false};
  LoopbackOrigin origin{[&closed](Peer& peer, std::size_t number) {
    if (number != 0)
      return echo_targets(peer);
    peer.receive_head();
    peer.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
    closed = peer.receive_end();
  }};
  Client& client = connect(origin.endpoint());
  run([&]() -> Task<void> {
    auto exchange = co_await opened(client, put(1000));
    const auto written = co_await exchange->write_body(bytes_of("some"), patience());
    EXPECT_TRUE(written);
    const auto pending = co_await exchange->wait_response(patience());
    EXPECT_TRUE(pending.value());
    EXPECT_TRUE(exchange->response_pending());
    const auto answer = co_await exchange->read_head(patience());
    EXPECT_EQ(answer.value().status, 403);
    const auto body = co_await read_all(*exchange);
    EXPECT_EQ(body.value(), "no");
  });
  // The rest of the body never came: another request must not be taken for it.
  EXPECT_EQ(fetched("/next"), "/next");
  EXPECT_EQ(origin.accepted(), 2);
  EXPECT_TRUE(origin.wait_ended(1));
  EXPECT_TRUE(closed);
}

TEST_F(ClientTest, AnUploadThatTheOriginCutsFailsAsClosed) {
  LoopbackOrigin origin{[](Peer& peer, std::size_t) {
    peer.receive_head();
    peer.reset();
  }};
  Client& client = connect(origin.endpoint());
  run([&]() -> Task<void> {
    auto exchange = co_await opened(client, put(64 * MiB));
    const std::string part(1 * MiB, 'x');
    Result<void> written = success();
    for (int i = 0; i < 64 && written; ++i)
      written = co_await exchange->write_body(bytes_of(part), patience());
    EXPECT_EQ(written.error(), Errc::closed);
    const auto answer = co_await exchange->read_head(patience());
    EXPECT_EQ(answer.error(), Errc::closed);
  });
}

TEST_F(ClientTest, AnAnswerEndsTheWaitOfAnUploadThatTheOriginDoesNotRead) {
  std::promise<void> done;
  LoopbackOrigin origin{[&done](Peer& peer, std::size_t) {
    peer.receive_head();
    peer.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    done.get_future().wait();
  }};
  Client& client = connect(origin.endpoint());
  run([&]() -> Task<void> {
    auto exchange = co_await opened(client, put(64 * MiB));
    const std::string part(1 * MiB, 'x');
    Result<void> written = success();
    for (int i = 0; i < 64 && written; ++i)
      written = co_await exchange->write_body(bytes_of(part), patience());
    EXPECT_EQ(written.error(), Errc::closed);
    const auto answer = co_await exchange->read_head(patience());
    EXPECT_TRUE(answer && answer.value().status == 403);
  });
  done.set_value();
}

TEST_F(ClientTest, AGetWithABodyIsNotRepeated) {
  LoopbackOrigin origin{[](Peer& peer, std::size_t number) {
    peer.receive_head();
    if (number != 0)
      return;
    peer.send(ok("first"));
    peer.receive_head();
    peer.receive(5);
  }};
  Client& client = connect(origin.endpoint());
  EXPECT_EQ(fetched("/"), "first");
  run([&]() -> Task<void> {
    http::RequestHead head = request("GET", "/");
    head.headers.add("Content-Length", "5");
    const Deadline deadline = patience();
    auto exchange = co_await client.send(std::move(head), Reason::forward, deadline);
    EXPECT_TRUE(exchange);
    const auto written = co_await exchange.value()->write_body(bytes_of("hello"), patience());
    EXPECT_TRUE(written);
    const auto finished = co_await exchange.value()->finish_body(patience());
    EXPECT_TRUE(finished);
    const auto answer = co_await exchange.value()->read_head(patience());
    EXPECT_EQ(answer.error(), Errc::closed);
  });
  EXPECT_EQ(origin.accepted(), 1);
}

TEST_F(ClientTest, AnUploadThatTheOriginDoesNotReadEndsAtTheDeadline) {
  std::promise<void> done;
  LoopbackOrigin origin{[&done](Peer&, std::size_t) { done.get_future().wait(); }};
  Client& client = connect(origin.endpoint());
  const double before = errors("timeout");
  run([&]() -> Task<void> {
    auto exchange = co_await opened(client, put(64 * MiB));
    const std::string part(1 * MiB, 'x');
    Result<void> written = success();
    for (int i = 0; i < 64 && written; ++i)
      written = co_await exchange->write_body(bytes_of(part), soon());
    EXPECT_EQ(written.error(), Errc::timeout);
  });
  EXPECT_EQ(errors("timeout"), before + 1);
  done.set_value();
}

TEST_F(ClientTest, ABodyShorterThanAnnouncedIsAnError) {
  LoopbackOrigin origin{[](Peer& peer, std::size_t) { peer.receive_end(); }};
  Client& client = connect(origin.endpoint());
  run([&]() -> Task<void> {
    auto exchange = co_await opened(client, put(5));
    const auto written = co_await exchange->write_body(bytes_of("1234"), patience());
    EXPECT_TRUE(written);
    const auto finished = co_await exchange->finish_body(patience());
    EXPECT_EQ(finished.error(), Errc::truncated);
  });
  EXPECT_TRUE(origin.wait_ended(1));
}

}  // namespace
}  // namespace forebay::origin::testing
