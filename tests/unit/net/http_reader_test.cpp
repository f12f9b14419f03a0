#include "net_fixture.hpp"
#include "scripted_stream.hpp"

#include <forebay/base/errc.hpp>
#include <forebay/http/header_rules.hpp>
#include <forebay/net/http_reader.hpp>

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace forebay::net::testing {
namespace {

using Pieces = std::deque<std::string>;
constexpr milliseconds kHeadTimeout{10'000};

class HttpReaderTest : public NetTest {
 protected:
  Result<http::RequestHead> read_request(ScriptedStream& stream, HttpReader::Limits limits = {}) {
    Result<http::RequestHead> head = Errc::cancelled;
    run(
        +[](ScriptedStream* from, HttpReader::Limits bounds,
            Result<http::RequestHead>* out) -> Task<void> {
          HttpReader reader{*from, bounds};
          *out = co_await reader.read_request(patience(), kHeadTimeout);
        },
        &stream, limits, &head);
    return head;
  }
  Result<http::ResponseHead> read_response(ScriptedStream& stream) {
    Result<http::ResponseHead> head = Errc::cancelled;
    run(
        +[](ScriptedStream* from, Result<http::ResponseHead>* out) -> Task<void> {
          HttpReader reader{*from};
          *out = co_await reader.read_response(patience());
        },
        &stream, &head);
    return head;
  }

  struct Body {
    http::BodyFraming framing;
    std::size_t buffer_size = 1024;
    std::string text = {};
    Error error = {};
    bool done = false;
    std::string trailer = {};
    std::string next_target = {};
  };
  /// Reads a request head, then the body as `body.framing` says, then the next head.
  void read_body(ScriptedStream& stream, Body& body) {
    run(
        +[](ScriptedStream* from, Body* out) -> Task<void> {
          HttpReader reader{*from};
          const auto head = co_await reader.read_request(patience(), kHeadTimeout);
          EXPECT_TRUE(head);
          reader.set_body(out->framing);
          std::string buffer(out->buffer_size, '\0');
          for (;;) {
            const auto got = co_await reader.read_body(writable(buffer), patience());
            if (!got)
              out->error = got.error();
            if (!got || got.value() == 0)
              break;
            out->text += buffer.substr(0, got.value());
          }
          out->done = reader.body_done();
          if (!out->done)
            co_return;
          out->trailer = reader.trailers().value_or_empty("x-sum");
          const auto next = co_await reader.read_request(patience(), kHeadTimeout);
          if (next)
            out->next_target = next.value().target;
        },
        &stream, &body);
  }
};

constexpr std::string_view kHead =
    "PUT /bucket/key?x=%20y HTTP/1.1\r\nHost: a.example:9000\r\nEmpty:\r\nMulti: one\r\n"
    "multi:\t two \r\n\r\n";

TEST(IsPersistent, OnlyCloseAndHttp10EndAConnection) {
  struct Case {
    int minor_version;
    const char* connection;
    bool persistent;
  };
  for (const Case& c : {Case{1, "", true}, Case{1, "keep-alive", true}, Case{1, "close", false},
                        Case{1, "TE, \tClose ", false}, Case{1, "closed, not-close", true},
                        Case{0, "", false}, Case{0, "keep-alive", false}}) {
    SCOPED_TRACE(c.connection);
    http::ResponseHead response;
    response.minor_version = c.minor_version;
    response.headers.add("connection", "upgrade");
    response.headers.add("connection", c.connection);
    EXPECT_EQ(is_persistent(response), c.persistent);
  }
  EXPECT_TRUE(is_persistent(http::RequestHead{}));
}

TEST_F(HttpReaderTest, ReadsAHeadSplitAnywhere) {
  for (std::size_t split = 0; split <= kHead.size(); ++split) {
    SCOPED_TRACE(split);
    ScriptedStream stream{
        Pieces{std::string{kHead.substr(0, split)}, std::string{kHead.substr(split)}}};
    const auto head = read_request(stream);
    ASSERT_TRUE(head);
    EXPECT_EQ(head.value().method, "PUT");
    EXPECT_EQ(head.value().target, "/bucket/key?x=%20y");
    EXPECT_EQ(head.value().minor_version, 1);
    const http::Headers& headers = head.value().headers;
    EXPECT_EQ(headers.size(), 4U);
    EXPECT_EQ(headers.value_or_empty("host"), "a.example:9000");
    EXPECT_EQ(headers.get("empty"), "");
    EXPECT_EQ(headers.value_or_empty("Multi"), "one");
    EXPECT_EQ((headers.begin() + 3)->value, "two");
    EXPECT_EQ((headers.begin() + 3)->name, "multi");
  }
}

TEST_F(HttpReaderTest, AHeadCutAnywhereIsTruncatedAndBeforeItsFirstByteClosed) {
  for (std::size_t size = 0; size < kHead.size(); ++size) {
    SCOPED_TRACE(size);
    for (const Error end : {Error{Errc::closed}, Error{Errc::truncated}}) {
      ScriptedStream stream{Pieces{std::string{kHead.substr(0, size)}}, end};
      const auto head = read_request(stream);
      ASSERT_FALSE(head);
      EXPECT_EQ(head.error(), size == 0 ? Errc::closed : Errc::truncated);
    }
  }
}

TEST_F(HttpReaderTest, TellsASilentClientFromASlowOne) {
  ScriptedStream silent{Pieces{}, Errc::timeout};
  EXPECT_EQ(read_request(silent).error(), Errc::closed);
  ScriptedStream slow{Pieces{"GET / HT"}, Errc::timeout};
  EXPECT_EQ(read_request(slow).error(), Errc::timeout);
  ScriptedStream stopping{Pieces{std::string{kHead}}};
  stopping.interrupt();
  EXPECT_EQ(read_request(stopping).error(), Errc::cancelled);
}

TEST_F(HttpReaderTest, BoundsTheHeadToTheByte) {
  constexpr std::size_t kMax = 9000;
  const std::string before = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
  const std::string after = "\r\n\r\n";
  for (const std::size_t size : {kMax - 1, kMax, kMax + 1, 3 * kMax}) {
    SCOPED_TRACE(size);
    const std::string text = before + std::string(size - before.size() - after.size(), 'x') + after;
    ScriptedStream stream{Pieces{text}};
    const auto head = read_request(stream, HttpReader::Limits{.head_size_max = kMax});
    EXPECT_EQ(head.has_value(), size <= kMax);
    if (!head) {
      EXPECT_EQ(head.error(), Errc::too_large);
    }
    EXPECT_LT(stream.reads, 5);
  }
}

TEST_F(HttpReaderTest, RefusesHeadsThatServersReadDifferently) {
  struct Case {
    const char* name;
    std::string text;
  };
  const std::string line = "GET / HTTP/1.1\r\n";
  const std::vector<Case> cases{
      {"bare LF", "GET / HTTP/1.1\nHost: a\n\n"},
      {"bare LF in a value", line + "Host: a\nX: b\r\n\r\n"},
      {"bare CR in a value", line + "Host: a\rX: b\r\n\r\n"},
      {"CR CR LF", line + "Host: a\r\r\n\r\n"},
      {"NUL", line + std::string{"Host: a\0b\r\n\r\n", 12}},
      {"empty first line", "\r\n" + line + "Host: a\r\n\r\n"},
      {"obs-fold", line + "Host: a\r\nX: b\r\n c\r\n\r\n"},
      {"obs-fold with a tab", line + "Host: a\r\nX: b\r\n\tc\r\n\r\n"},
      {"space before the first field", line + " X: b\r\nHost: a\r\n\r\n"},
      {"space before the colon", line + "Host : a\r\n\r\n"},
      {"space in a name", line + "Ho st: a\r\n\r\n"},
      {"no colon", line + "Host\r\n\r\n"},
      {"no name", line + ": a\r\n\r\n"},
      {"differing Content-Length",
       line + "Host: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"},
      {"Content-Length list", line + "Host: a\r\nContent-Length: 1, 1\r\n\r\n"},
      {"negative Content-Length", line + "Host: a\r\nContent-Length: -1\r\n\r\n"},
      {"signed Content-Length", line + "Host: a\r\nContent-Length: +5\r\n\r\n"},
      {"65 bit Content-Length", line + "Host: a\r\nContent-Length: 18446744073709551616\r\n\r\n"},
      {"hexadecimal Content-Length", line + "Host: a\r\nContent-Length: 0x5\r\n\r\n"},
      {"length and chunked",
       line + "Host: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"chunked and length",
       line + "Host: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"},
      {"xchunked", line + "Host: a\r\nTransfer-Encoding: xchunked\r\n\r\n"},
      {"chunked twice",
       line + "Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"gzip, chunked", line + "Host: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"},
      {"chunked with a vertical tab", line + "Host: a\r\nTransfer-Encoding: \vchunked\r\n\r\n"},
      {"quoted chunked", line + "Host: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n"},
      {"chunked in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"no Host", line + "\r\n"},
      {"Host twice", line + "Host: a\r\nHost: b\r\n\r\n"},
      {"absolute-form target", "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"authority-form target", "CONNECT b:80 HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"a backslash in the target", "GET /a\\b HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n"},
      {"HTTP/0.9", "GET /\r\n\r\n"},
      {"lower-case http", "GET / http/1.1\r\nHost: a\r\n\r\n"},
      {"method with a colon", "GE:T / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"TLS handshake", std::string{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    // Silence after it: whoever waits for more has not seen the fault.
    ScriptedStream stream{Pieces{c.text}, Errc::timeout};
    const auto head = read_request(stream);
    if (!head) {
      EXPECT_EQ(head.error(), Errc::protocol);
    } else {
      EXPECT_TRUE(http::check_request(head.value()))
          << "neither the reader nor check_request refused it";
    }
  }
}

TEST_F(HttpReaderTest, AFaultIsSeenBeforeTheHeadIsWhole) {
  ScriptedStream stream{Pieces{"GET / HTTP/1.1\r\nHost: a\nX: y"}, Errc::timeout};
  EXPECT_EQ(read_request(stream).error(), Errc::protocol);
}

TEST_F(HttpReaderTest, ReadsResponses) {
  ScriptedStream stream{Pieces{"HTTP/1.1 206 Partial Content\r\nETag: \"a\"\r\n\r\nbody"}};
  const auto head = read_response(stream);
  ASSERT_TRUE(head);
  EXPECT_EQ(head.value().status, 206);
  EXPECT_EQ(head.value().reason, "Partial Content");
  EXPECT_EQ(head.value().headers.value_or_empty("etag"), "\"a\"");
}

TEST_F(HttpReaderTest, HandsOut100AndSwallowsAFewOtherInterimResponses) {
  const std::string hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
  const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  ScriptedStream expected{Pieces{hints + "HTTP/1.1 100 Continue\r\n\r\n" + ok}};
  std::vector<int> statuses;
  run(
      +[](ScriptedStream* from, std::vector<int>* out) -> Task<void> {
        HttpReader reader{*from};
        for (int i = 0; i < 2; ++i) {
          const auto head = co_await reader.read_response(patience());
          out->push_back(head ? head.value().status : 0);
        }
      },
      &expected, &statuses);
  EXPECT_EQ(statuses, (std::vector<int>{100, 200}));
  std::string endless;
  for (int i = 0; i < 20; ++i)
    endless += hints;
  ScriptedStream flood{Pieces{endless + ok}};
  EXPECT_EQ(read_response(flood).error(), Errc::protocol);
}

TEST_F(HttpReaderTest, AStaleConnectionIsClosedAndACutHeadTruncated) {
  ScriptedStream stale{Pieces{}, Errc::truncated};
  EXPECT_EQ(read_response(stale).error(), Errc::closed);
  ScriptedStream cut{Pieces{"HTTP/1.1 200 OK\r\n"}};
  EXPECT_EQ(read_response(cut).error(), Errc::truncated);
  ScriptedStream silent{Pieces{}, Errc::timeout};
  EXPECT_EQ(read_response(silent).error(), Errc::timeout);
  ScriptedStream nonsense{Pieces{"HTTP/1.1 20 OK\r\n\r\n"}};
  EXPECT_EQ(read_response(nonsense).error(), Errc::protocol);
}

const std::string kPut = "PUT /first HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kNext = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";

TEST_F(HttpReaderTest, ReadsBodiesSplitAnywhereAndKeepsTheNextHead) {
  struct Case {
    const char* name;
    http::BodyFraming framing;
    std::string wire;
  };
  const std::vector<Case> cases{
      {"none", {}, ""},
      {"length 0", {.framing = http::Framing::length, .length = 0}, ""},
      {"length", {.framing = http::Framing::length, .length = 11}, "hello world"},
      {"chunked",
       {.framing = http::Framing::chunked},
       "6\r\nhello \r\n5\r\nworld\r\n0\r\nX-Sum: 7\r\n\r\n"},
  };
  for (const Case& c : cases) {
    const std::string wire = kPut + c.wire + kNext;
    for (std::size_t split = 0; split <= wire.size(); ++split) {
      for (const std::size_t buffer_size : {std::size_t{1}, std::size_t{1024}}) {
        SCOPED_TRACE(std::string{c.name} + " " + std::to_string(split));
        ScriptedStream stream{Pieces{wire.substr(0, split), wire.substr(split)}};
        Body body{.framing = c.framing, .buffer_size = buffer_size};
        read_body(stream, body);
        ASSERT_TRUE(body.done);
        EXPECT_EQ(body.text, c.wire.empty() ? "" : "hello world");
        EXPECT_EQ(body.next_target, "/next");
        EXPECT_EQ(body.trailer, c.framing.framing == http::Framing::chunked ? "7" : "");
      }
    }
  }
}

TEST_F(HttpReaderTest, ABodyCutAnywhereIsTruncated) {
  const std::vector<std::pair<http::BodyFraming, std::string>> bodies{
      {{.framing = http::Framing::length, .length = 11}, "hello world"},
      {{.framing = http::Framing::chunked}, "6\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n"}};
  for (const auto& [framing, wire] : bodies) {
    for (std::size_t size = 0; size < wire.size(); ++size) {
      SCOPED_TRACE(size);
      ScriptedStream stream{Pieces{kPut + wire.substr(0, size)}};
      Body body{.framing = framing};
      read_body(stream, body);
      EXPECT_FALSE(body.done);
      EXPECT_EQ(body.error, Errc::truncated);
    }
  }
}

TEST_F(HttpReaderTest, OnlyAnOrderlyEndCompletesABodyUntilClose) {
  const http::BodyFraming framing{.framing = http::Framing::until_close};
  ScriptedStream orderly{Pieces{kPut + "some", " text"}};
  Body whole{.framing = framing};
  read_body(orderly, whole);
  EXPECT_TRUE(whole.done);
  EXPECT_EQ(whole.text, "some text");
  ScriptedStream broken{Pieces{kPut + "some", " text"}, Errc::truncated};
  Body cut{.framing = framing};
  read_body(broken, cut);
  EXPECT_FALSE(cut.done);
  EXPECT_EQ(cut.error, Errc::truncated);
}

TEST_F(HttpReaderTest, LongChunksSplitIntoReadsStayWhole) {
  std::string expected;
  std::string wire = kPut;
  for (const std::size_t size : {1UL, 4095UL, 4096UL, 4097UL, 100'000UL, 3UL}) {
    const std::string data(size, static_cast<char>('a' + size % 26));
    expected += data;
    std::array<char, 20> number;
    std::snprintf(number.data(), number.size(), "%zx\r\n", size);
    wire += number.data() + data + "\r\n";
  }
  wire += "0\r\n\r\n" + kNext;
  for (const std::size_t piece : {1UL, 7UL, 1000UL, 5000UL, 1'000'000UL}) {
    SCOPED_TRACE(piece);
    Pieces pieces;
    for (std::size_t at = 0; at < wire.size(); at += piece)
      pieces.push_back(wire.substr(at, piece));
    ScriptedStream stream{pieces};
    Body body{.framing = {.framing = http::Framing::chunked}, .buffer_size = 20'000};
    read_body(stream, body);
    EXPECT_TRUE(body.text == expected);
    EXPECT_EQ(body.next_target, "/next");
  }
}

TEST_F(HttpReaderTest, BadChunksEndTheBodyWithAnError) {
  ScriptedStream stream{Pieces{kPut + "5\r\nhello, this is longer\r\n"}};
  Body body{.framing = {.framing = http::Framing::chunked}};
  read_body(stream, body);
  EXPECT_EQ(body.error, Errc::protocol);
  EXPECT_EQ(body.text, "hello");
}

TEST_F(HttpReaderTest, DiscardsABodyWithinItsBound) {
  struct Case {
    const char* name;
    http::BodyFraming framing;
    std::string wire;
    bool fits;
  };
  const std::vector<Case> cases{
      {"at the bound", {.framing = http::Framing::length, .length = 10}, "0123456789", true},
      {"past it", {.framing = http::Framing::length, .length = 11}, "0123456789x", false},
      {"chunked", {.framing = http::Framing::chunked}, "5\r\nhello\r\n0\r\n\r\n", true},
      {"chunked past it",
       {.framing = http::Framing::chunked},
       "B\r\nhello world\r\n0\r\n\r\n",
       false},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    ScriptedStream stream{Pieces{kPut + c.wire}};
    Result<void> result = Errc::cancelled;
    run(
        +[](ScriptedStream* from, http::BodyFraming framing, Result<void>* out) -> Task<void> {
          HttpReader reader{*from};
          const auto head = co_await reader.read_request(patience(), kHeadTimeout);
          EXPECT_TRUE(head);
          reader.set_body(framing);
          *out = co_await reader.discard_body(10, patience());
          EXPECT_EQ(reader.body_done(), out->has_value());
        },
        &stream, c.framing, &result);
    EXPECT_EQ(result.has_value(), c.fits);
    if (!c.fits) {
      EXPECT_EQ(result.error(), Errc::too_large);
    }
  }
}

TEST_F(HttpReaderTest, WaitingForABodyTakesItsFramingAndNoneOfItsData) {
  struct Case {
    std::string name;
    http::BodyFraming framing;
    Pieces pieces;
    Error error;
    std::string data;  ///< What read_body() brings then.
  };
  const http::BodyFraming chunked{http::Framing::chunked, 0};
  const http::BodyFraming length{http::Framing::length, 5};
  const std::string head{kHead};
  const std::vector<Case> cases{
      {"with its head", length, {head + "hello"}, {}, "hello"},
      {"after its head", length, {head, "hello"}, {}, "hello"},
      {"never", length, {head}, Errc::truncated, ""},
      {"no body", {}, {head}, {}, ""},
      {"chunk with its head", chunked, {head + "5\r\nhello\r\n"}, {}, "hello"},
      {"chunk in pieces", chunked, {head, "5", "\r", "\n", "hel", "lo\r\n"}, {}, "hel"},
      {"a size and no data", chunked, {head, "5\r\n"}, Errc::truncated, ""},
      {"no data", chunked, {head, "0\r\n", "\r\n"}, {}, ""},
      {"no chunk", chunked, {head, "hello\r\n"}, Errc::protocol, ""},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    ScriptedStream stream{c.pieces};
    run(
        +[](ScriptedStream* from, const Case* expected) -> Task<void> {
          HttpReader reader{*from};
          const auto head = co_await reader.read_request(patience(), kHeadTimeout);
          EXPECT_TRUE(head);
          reader.set_body(expected->framing);
          const auto waited = co_await reader.wait_body(patience());
          EXPECT_EQ(waited ? Error{} : waited.error(), expected->error);
          if (!waited)
            co_return;
          std::string buffer(16, '\0');
          const auto got = co_await reader.read_body(writable(buffer), patience());
          EXPECT_EQ(buffer.substr(0, got.value()), expected->data);
        },
        &stream, &c);
  }
}

TEST_F(HttpReaderTest, AChunkedBodyBeforeDoesNotEndTheWaitForTheNext) {
  ScriptedStream stream{Pieces{std::string{kHead} + "0\r\n\r\n" + std::string{kHead}},
                        Errc::timeout};
  run(
      +[](ScriptedStream* from) -> Task<void> {
        HttpReader reader{*from};
        for (const auto framing : {http::Framing::chunked, http::Framing::length}) {
          const auto head = co_await reader.read_request(patience(), kHeadTimeout);
          EXPECT_TRUE(head);
          reader.set_body({framing, 5});
          const auto waited = co_await reader.wait_body(patience());
          EXPECT_EQ(waited.has_value(), framing == http::Framing::chunked);
          const auto discarded = co_await reader.discard_body(0, patience());
          EXPECT_EQ(discarded.has_value(), framing == http::Framing::chunked);
        }
      },
      &stream);
}

}  // namespace
}  // namespace forebay::net::testing
