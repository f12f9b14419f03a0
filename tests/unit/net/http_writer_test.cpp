#include "net_fixture.hpp"
#include "scripted_stream.hpp"

#include <forebay/base/errc.hpp>
#include <forebay/net/http_writer.hpp>

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace forebay::net::testing {
namespace {

http::RequestHead sample_request() {
  http::RequestHead head;
  head.method = "GET";
  head.target = "/b/k?versionId=1";
  head.headers.add("Host", "a.example");
  head.headers.add("Range", "bytes=0-9");
  return head;
}

http::ResponseHead response(int status, std::string reason = {}) {
  http::ResponseHead head;
  head.status = status;
  head.reason = std::move(reason);
  return head;
}

TEST(Serialize, WritesHeadsAsTheyAre) {
  EXPECT_EQ(serialize(sample_request()).value(),
            "GET /b/k?versionId=1 HTTP/1.1\r\nHost: a.example\r\nRange: bytes=0-9\r\n\r\n");
  http::ResponseHead missing = response(404);
  missing.headers.add("x-amz-request-id", "1");
  EXPECT_EQ(serialize(missing).value(), "HTTP/1.1 404 Not Found\r\nx-amz-request-id: 1\r\n\r\n");
  EXPECT_EQ(serialize(response(100)).value(), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(serialize(response(598)).value(), "HTTP/1.1 598 \r\n\r\n");
}

TEST(Serialize, RefusesWhatWouldChangeTheMessagesShape) {
  const std::vector<std::string> bad_values{"a\r\nEvil: b", "a\nb", "a\rb", std::string{"a\0b", 3},
                                            "a\x7f"};
  for (const std::string& bad : bad_values) {
    SCOPED_TRACE(bad);
    http::ResponseHead value = response(200);
    value.headers.add("x-amz-meta-a", bad);
    EXPECT_EQ(serialize(value).error(), Errc::protocol);
    http::ResponseHead name = response(200);
    name.headers.add(bad, "a");
    EXPECT_EQ(serialize(name).error(), Errc::protocol);
    EXPECT_EQ(serialize(response(200, bad)).error(), Errc::protocol);
    http::RequestHead target = sample_request();
    target.target = "/" + bad;
    EXPECT_EQ(serialize(target).error(), Errc::protocol);
    http::RequestHead method = sample_request();
    method.method = bad;
    EXPECT_EQ(serialize(method).error(), Errc::protocol);
    http::RequestHead field = sample_request();
    field.headers.add("x-amz-meta-a", bad);
    EXPECT_EQ(serialize(field).error(), Errc::protocol);
  }
  EXPECT_EQ(serialize(response(99)).error(), Errc::protocol);
}

struct Written {
  http::BodyFraming framing;
  std::vector<std::string> pieces = {};
  std::string wire = {};
  Result<void> finished = Errc::cancelled;
};

class MessageWriterTest : public NetTest {
 protected:
  void write(ScriptedStream& stream, Written& message) {
    run(
        +[](ScriptedStream* to, Written* what) -> Task<void> {
          MessageWriter writer{*to, "HEAD|", what->framing};
          EXPECT_FALSE(writer.started());
          for (const std::string& piece : what->pieces) {
            const ConstBytes data = as_bytes(piece);
            const auto sent = co_await writer.write(data, patience());
            EXPECT_TRUE(sent);
          }
          what->finished = co_await writer.finish(patience());
        },
        &stream, &message);
    message.wire = stream.written;
  }
};

TEST_F(MessageWriterTest, FramesBodies) {
  struct Case {
    const char* name;
    http::BodyFraming framing;
    std::vector<std::string> pieces;
    std::string wire;
  };
  const std::vector<Case> cases{
      {"none", {}, {}, "HEAD|"},
      {"length 0", {.framing = http::Framing::length}, {}, "HEAD|"},
      {"length", {.framing = http::Framing::length, .length = 5}, {"he", "", "llo"}, "HEAD|hello"},
      {"chunked",
       {.framing = http::Framing::chunked},
       {"hello, chunks", "", "x"},
       "HEAD|d\r\nhello, chunks\r\n1\r\nx\r\n0\r\n\r\n"},
      {"chunked, empty", {.framing = http::Framing::chunked}, {}, "HEAD|0\r\n\r\n"},
      {"until close", {.framing = http::Framing::until_close}, {"a", "b"}, "HEAD|ab"},
  };
  for (const Case& c : cases) {
    for (const std::size_t write_max : {std::size_t{1}, std::size_t{3}, SIZE_MAX}) {
      SCOPED_TRACE(c.name);
      ScriptedStream stream{{}};
      stream.write_max = write_max;
      Written message{.framing = c.framing, .pieces = c.pieces};
      write(stream, message);
      EXPECT_TRUE(message.finished);
      EXPECT_EQ(message.wire, c.wire);
      EXPECT_GT(stream.flushes, 0);
    }
  }
}

TEST_F(MessageWriterTest, HeadAndFirstBytesLeaveTogether) {
  ScriptedStream stream{{}};
  Written message{.framing = {.framing = http::Framing::length, .length = 5}, .pieces = {"hello"}};
  write(stream, message);
  EXPECT_EQ(stream.writes, 1);
}

TEST_F(MessageWriterTest, AShortBodyIsNeverPassedOffAsWhole) {
  ScriptedStream stream{{}};
  Written message{.framing = {.framing = http::Framing::length, .length = 6}, .pieces = {"hello"}};
  write(stream, message);
  EXPECT_EQ(message.finished.error(), Errc::truncated);
}

TEST_F(MessageWriterTest, NothingOfTooLongABodyIsSent) {
  ScriptedStream stream{{}};
  run(
      +[](ScriptedStream* to) -> Task<void> {
        const http::BodyFraming framing{.framing = http::Framing::length, .length = 4};
        MessageWriter writer{*to, "HEAD|", framing};
        const ConstBytes data = as_bytes("hello");
        const auto sent = co_await writer.write(data, patience());
        EXPECT_EQ(sent.error(), Errc::protocol);
        EXPECT_FALSE(writer.started());
      },
      &stream);
  EXPECT_EQ(stream.written, "");
}

TEST_F(MessageWriterTest, TryWriteCountsBodyBytesOnly) {
  for (std::size_t write_max = 1; write_max <= 12; ++write_max) {
    SCOPED_TRACE(write_max);
    ScriptedStream stream{{}};
    stream.write_max = write_max;
    run(
        +[](ScriptedStream* to) -> Task<void> {
          const std::string text = "hello";
          const http::BodyFraming framing{.framing = http::Framing::length, .length = text.size()};
          MessageWriter writer{*to, "HEAD|", framing};
          std::size_t sent = 0;
          while (sent < text.size()) {
            const ConstBytes rest = as_bytes(text).subspan(sent);
            const auto taken = writer.try_write({&rest, 1});
            if (!taken)
              break;
            if (taken.value() == 0) {
              const auto waited = co_await to->wait_writable(patience());
              EXPECT_TRUE(waited);
            }
            sent += taken.value();
            EXPECT_EQ(writer.written(), sent);
          }
          const auto finished = co_await writer.finish(patience());
          EXPECT_TRUE(finished);
        },
        &stream);
    EXPECT_EQ(stream.written, "HEAD|hello");
  }
}

}  // namespace
}  // namespace forebay::net::testing
