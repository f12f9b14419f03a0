#include "net/tcp_stream.hpp"

#include "net_fixture.hpp"

#include <forebay/base/errc.hpp>

#include <gtest/gtest.h>

namespace forebay::net::testing {
namespace {

/// What the server side of a test leaves for the test's thread to look at.
struct Seen {
  std::promise<std::string> text;
  std::promise<void> release;  ///< From the test to the server.
  Error error;
};

class TcpStreamTest : public NetTest {};

TEST_F(TcpStreamTest, ReadsWhatThePeerSendsAndReportsItsEnd) {
  Seen seen;
  const auto listener = listen(
      pool(), loopback(),
      +[](std::unique_ptr<Stream> stream, Seen* out) -> Task<void> {
        std::string text;
        std::string buffer(3, '\0');
        for (;;) {
          const auto got = co_await stream->read_some(writable(buffer), patience());
          if (!got) {
            out->error = got.error();
            break;
          }
          text += buffer.substr(0, got.value());
        }
        out->text.set_value(text);
      },
      &seen);
  RawClient client{listener->port()};
  ASSERT_TRUE(client.send("hello, stream"));
  client.end_sending();
  EXPECT_EQ(seen.text.get_future().get(), "hello, stream");
  EXPECT_EQ(seen.error, Errc::closed);
}

TEST_F(TcpStreamTest, AResetIsNoOrderlyEnd) {
  Seen seen;
  const auto listener = listen(
      pool(), loopback(),
      +[](std::unique_ptr<Stream> stream, Seen* out) -> Task<void> {
        std::string buffer(16, '\0');
        const auto got = co_await stream->read_some(writable(buffer), patience());
        out->error = got ? Error{} : got.error();
        out->text.set_value(stream->remote_address());
      },
      &seen);
  RawClient client{listener->port()};
  client.reset();
  EXPECT_TRUE(seen.text.get_future().get().size() > 0);
  EXPECT_EQ(seen.error, Errc::truncated);
}

TEST_F(TcpStreamTest, AReadWaitsNoLongerThanItsDeadlineAndTheStreamStaysUsable) {
  Seen seen;
  const auto listener = listen(
      pool(), loopback(),
      +[](std::unique_ptr<Stream> stream, Seen* out) -> Task<void> {
        std::string buffer(16, '\0');
        const auto got = co_await stream->read_some(writable(buffer), soon());
        out->error = got ? Error{} : got.error();
        const auto readable = co_await stream->wait_readable(soon());
        EXPECT_TRUE(readable && !readable.value());
        const auto sent = co_await stream->write_all("too late", patience());
        EXPECT_TRUE(sent);
      },
      &seen);
  RawClient client{listener->port()};
  EXPECT_EQ(client.receive_all(), "too late");
  EXPECT_EQ(seen.error, Errc::timeout);
}

TEST_F(TcpStreamTest, TryWriteTakesNothingFromAStalledPeerAndWaitingTimesOut) {
  Seen seen;
  const auto listener = listen(
      pool(), loopback(),
      +[](std::unique_ptr<Stream> stream, Seen* out) -> Task<void> {
        const std::string page(128 * KiB, 'x');
        const ConstBytes part = as_bytes(page);
        std::size_t total = 0;
        for (;;) {
          const auto taken = stream->try_write({&part, 1});
          if (!taken || taken.value() == 0)
            break;
          total += taken.value();
        }
        EXPECT_GT(total, 0U);
        const auto waited = co_await stream->wait_writable(soon());
        out->error = waited ? Error{} : waited.error();
        out->text.set_value(std::to_string(total));
        const auto again = co_await stream->wait_writable(patience());
        EXPECT_TRUE(again);
        const auto taken = stream->try_write({&part, 1});
        EXPECT_TRUE(taken && taken.value() > 0);
      },
      &seen);
  RawClient client{listener->port(), 4096};
  const auto total = std::stoul(seen.text.get_future().get());
  EXPECT_EQ(seen.error, Errc::timeout);
  EXPECT_LT(total, 16 * MiB);
  EXPECT_GT(client.receive_all().size(), total);
}

TEST_F(TcpStreamTest, WriteAllGathersManyPartsInOrder) {
  Seen seen;
  const auto listener = listen(
      pool(), loopback(),
      +[](std::unique_ptr<Stream> stream, Seen*) -> Task<void> {
        // More parts than one system call takes, some of them empty, and more than fits at once.
        std::vector<std::string> texts;
        for (int i = 0; i < 200; ++i)
          texts.push_back(std::string(i % 7 == 0 ? 0 : 20'000, static_cast<char>('a' + i % 26)));
        std::vector<ConstBytes> parts;
        for (const std::string& text : texts)
          parts.push_back(as_bytes(text));
        const auto sent = co_await stream->write_all(parts, patience());
        EXPECT_TRUE(sent);
      },
      &seen);
  RawClient client{listener->port()};
  std::string expected;
  for (int i = 0; i < 200; ++i)
    expected += std::string(i % 7 == 0 ? 0 : 20'000, static_cast<char>('a' + i % 26));
  EXPECT_TRUE(client.receive_all() == expected);
}

TEST_F(TcpStreamTest, AWriteToAPeerThatIsGoneIsClosedAndRaisesNoSignal) {
  Seen seen;
  const auto listener = listen(
      pool(), loopback(),
      +[](std::unique_ptr<Stream> stream, Seen* out) -> Task<void> {
        const auto readable = co_await stream->wait_readable(patience());
        EXPECT_TRUE(readable && readable.value());
        EXPECT_TRUE(stream->peer_closed());
        const std::string page(64 * KiB, 'x');
        for (int i = 0; i < 100 && !out->error; ++i) {
          const auto sent = co_await stream->write_all(page, patience());
          out->error = sent ? Error{} : sent.error();
        }
        out->text.set_value("done");
      },
      &seen);
  RawClient client{listener->port()};
  client.reset();
  seen.text.get_future().get();
  EXPECT_EQ(seen.error, Errc::closed);
}

TEST_F(TcpStreamTest, InputTellsSilenceDataAndEndApart) {
  Seen seen;
  const auto listener = listen(
      pool(), loopback(),
      +[](std::unique_ptr<Stream> stream, Seen* out) -> Task<void> {
        EXPECT_EQ(stream->input(), Input::none);
        EXPECT_FALSE(stream->peer_closed());
        out->text.set_value("quiet");
        const auto readable = co_await stream->wait_readable(patience());
        EXPECT_TRUE(readable && readable.value());
        EXPECT_EQ(stream->input(), Input::data);
        std::string buffer(16, '\0');
        const auto got = co_await stream->read_some(writable(buffer), patience());
        EXPECT_TRUE(got && got.value() == 1);
        const auto ended = co_await stream->wait_readable(patience());
        EXPECT_TRUE(ended && ended.value());
        EXPECT_EQ(stream->input(), Input::closed);
        stream->close();
        EXPECT_EQ(stream->input(), Input::closed);
      },
      &seen);
  RawClient client{listener->port()};
  EXPECT_EQ(seen.text.get_future().get(), "quiet");
  ASSERT_TRUE(client.send("x"));
  client.end_sending();
  EXPECT_EQ(client.receive_all(), "");
}

TEST_F(TcpStreamTest, AGracefulEndLetsAnUploadingClientReadTheAnswer) {
  Seen seen;
  const auto listener = listen(
      pool(), loopback(),
      +[](std::unique_ptr<Stream> stream, Seen*) -> Task<void> {
        std::string buffer(16, '\0');
        const auto got = co_await stream->read_some(writable(buffer), patience());
        EXPECT_TRUE(got);
        const auto sent = co_await stream->write_all("refused", patience());
        EXPECT_TRUE(sent);
        co_await stream->shutdown_gracefully(patience());
      },
      &seen);
  RawClient client{listener->port()};
  // More than the socket buffers hold: a close with unread bytes would reset and lose the answer.
  ASSERT_TRUE(client.send(std::string(32 * MiB, 'u')));
  client.end_sending();
  EXPECT_EQ(client.receive_all(), "refused");
}

TEST_F(TcpStreamTest, AGracefulEndWaitsNoLongerThanItsDeadline) {
  Seen seen;
  const auto listener = listen(
      pool(), loopback(),
      +[](std::unique_ptr<Stream> stream, Seen* out) -> Task<void> {
        co_await stream->shutdown_gracefully(soon());
        out->text.set_value("ended");
      },
      &seen);
  RawClient client{listener->port()};
  EXPECT_EQ(seen.text.get_future().get(), "ended");
}

Task<void> read_one(Stream* stream, Seen* out) {
  std::string buffer(16, '\0');
  const auto got = co_await stream->read_some(writable(buffer), patience());
  out->error = got ? Error{} : got.error();
  out->text.set_value("ended");
}

TEST_F(TcpStreamTest, CloseByAnotherTaskEndsAWaitingRead) {
  Seen reader;
  const auto listener = listen(
      pool(), loopback(),
      +[](std::unique_ptr<Stream> stream, Seen* out) -> Task<void> {
        runtime::Worker::current().tasks().spawn("reader", read_one, stream.get(), out);
        const auto writable_now = co_await stream->wait_writable(patience());
        EXPECT_TRUE(writable_now);
        stream->close();
        auto ended = out->text.get_future();
        while (ended.wait_for(milliseconds{0}) != std::future_status::ready)
          co_await boost::asio::post(runtime::Worker::current().context(), use_task);
      },
      &reader);
  RawClient client{listener->port()};
  EXPECT_EQ(client.receive_all(), "");
  listener->stop();
  ASSERT_TRUE(pool().drain(patience()));
  EXPECT_EQ(reader.error, Errc::cancelled);
}

Task<void> write_late(Stream* stream, Seen* out) {
  const std::string page(256 * KiB, 'x');
  Result<void> sent = success();
  while (sent)
    sent = co_await stream->write_all(page, soon());
  out->error = sent.error();
  out->text.set_value("ended");
}

TEST_F(TcpStreamTest, ADeadlineOfOneDirectionDoesNotEndTheOther) {
  Seen writer;
  const auto listener = listen(
      pool(), loopback(),
      +[](std::unique_ptr<Stream> stream, Seen* out) -> Task<void> {
        runtime::Worker::current().tasks().spawn("writer", write_late, stream.get(), out);
        std::string buffer(16, '\0');
        const auto got = co_await stream->read_some(writable(buffer), patience());
        EXPECT_TRUE(got && buffer.substr(0, got.value()) == "still here");
      },
      &writer);
  RawClient client{listener->port(), 4096};
  EXPECT_EQ(writer.text.get_future().get(), "ended");
  EXPECT_EQ(writer.error, Errc::timeout);
  EXPECT_TRUE(client.send("still here"));
  client.receive_all();
}

}  // namespace
}  // namespace forebay::net::testing
