#include "net/tls_stream.hpp"

#include "net_fixture.hpp"
#include "tls_fixture.hpp"

#include <forebay/base/errc.hpp>

#include <utility>

#include <gtest/gtest.h>

namespace forebay::net::testing {
namespace {

struct Seen {
  std::promise<std::string> text;
  Error error;
};

class TlsStreamTest : public NetTest {
 protected:
  TestCertificate certificate_;
};

Task<void> echo_line(std::unique_ptr<Stream> stream, Seen*) {
  std::string buffer(100, '\0');
  const auto got = co_await stream->read_some(writable(buffer), patience());
  EXPECT_TRUE(got);
  if (!got)
    co_return;
  buffer.resize(got.value());
  const auto sent = co_await stream->write_all(buffer, patience());
  EXPECT_TRUE(sent);
  co_await stream->shutdown_gracefully(soon());
}

TEST_F(TlsStreamTest, SpeaksTls12And13AndEndsOrderly) {
  Seen seen;
  const auto listener = listen(pool(), loopback(certificate_), echo_line, &seen);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SCOPED_TRACE(version);
    RawTlsClient client{listener->port(), version};
    ASSERT_TRUE(client.connected());
    ASSERT_TRUE(client.send("over TLS"));
    EXPECT_EQ(client.receive_all(), "over TLS");
    EXPECT_TRUE(client.ended_orderly());
  }
}

TEST_F(TlsStreamTest, RefusesOldVersionsAndPlainText) {
  Seen seen;
  const auto listener = listen(pool(), loopback(certificate_), echo_line, &seen);
  RawTlsClient old{listener->port(), TLS1_1_VERSION};
  EXPECT_FALSE(old.connected());
  RawClient plain{listener->port()};
  ASSERT_TRUE(plain.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_EQ(plain.receive_all().find("HTTP"), std::string::npos);
}

TEST_F(TlsStreamTest, ASilentHandshakeEndsAtItsDeadline) {
  Seen seen;
  ListenConfig config = loopback(certificate_);
  config.header_timeout = milliseconds{30};
  const auto listener = listen(pool(), config, echo_line, &seen);
  RawClient silent{listener->port()};
  EXPECT_EQ(silent.receive_all(), "");
}

TEST_F(TlsStreamTest, AnEndWithoutCloseNotifyIsTruncation) {
  for (const bool orderly : {true, false}) {
    SCOPED_TRACE(orderly);
    Seen seen;
    const auto listener = listen(
        pool(), loopback(certificate_),
        +[](std::unique_ptr<Stream> stream, Seen* out) -> Task<void> {
          std::string buffer(100, '\0');
          const auto first = co_await stream->read_some(writable(buffer), patience());
          EXPECT_TRUE(first && first.value() == 1);
          const auto second = co_await stream->read_some(writable(buffer), patience());
          out->error = second ? Error{} : second.error();
          EXPECT_TRUE(stream->peer_closed());
          out->text.set_value("ended");
        },
        &seen);
    RawTlsClient client{listener->port()};
    ASSERT_TRUE(client.send("x"));
    if (orderly)
      client.close_notify();
    client.socket().end_sending();
    seen.text.get_future().get();
    EXPECT_EQ(seen.error, orderly ? Errc::closed : Errc::truncated);
  }
}

TEST_F(TlsStreamTest, InputSeesWhatIsDecryptedAlready) {
  Seen seen;
  const auto listener = listen(
      pool(), loopback(certificate_),
      +[](std::unique_ptr<Stream> stream, Seen* out) -> Task<void> {
        EXPECT_EQ(stream->input(), Input::none);
        const auto silent = co_await stream->wait_readable(soon());
        EXPECT_TRUE(silent && !silent.value());
        out->text.set_value("quiet");
        const auto readable = co_await stream->wait_readable(patience());
        EXPECT_TRUE(readable && readable.value());
        std::string one(1, '\0');
        for (const char expected : {'a', 'b', 'c'}) {
          EXPECT_EQ(stream->input(), Input::data);
          const auto ready = co_await stream->wait_readable(patience());
          EXPECT_TRUE(ready && ready.value());
          const auto got = co_await stream->read_some(writable(one), patience());
          EXPECT_TRUE(got && one[0] == expected);
        }
        EXPECT_EQ(stream->input(), Input::none);
      },
      &seen);
  RawTlsClient client{listener->port()};
  seen.text.get_future().get();
  ASSERT_TRUE(client.send("abc"));
  EXPECT_EQ(client.receive_all(), "");
}

class StalledTlsPeer : public TlsStreamTest, public ::testing::WithParamInterface<std::uint8_t> {};

// The memory given to try_write is overwritten at once: what a blocked record needs again must be
// the stream's own copy.
TEST_P(StalledTlsPeer, HoldsNoMemoryOfTheCaller) {
  Seen seen;
  const auto listener = listen(
      pool(), loopback(certificate_),
      +[](std::unique_ptr<Stream> stream, Seen* out) -> Task<void> {
        std::string page(100'000, '\0');
        std::size_t total = 0;
        bool reported = false;
        while (total < 8 * MiB) {
          for (std::size_t i = 0; i < page.size(); ++i)
            page[i] = static_cast<char>('a' + (total + i) % 23);
          // A short part first, as a head before a page is.
          const std::array<ConstBytes, 3> parts{as_bytes(page).first(100), ConstBytes{},
                                                as_bytes(page).subspan(100)};
          const auto taken = stream->try_write(parts);
          page.assign(page.size(), '!');
          EXPECT_TRUE(taken);
          if (!taken)
            break;
          total += taken.value();
          if (taken.value() != 0)
            continue;
          // A full send buffer empties while the peer's kernel still takes what it is sent: only a
          // wait that nothing ends is a stalled peer.
          const auto ready = co_await stream->wait_writable(reported ? patience() : soon());
          EXPECT_TRUE(ready || !reported);
          if (ready)
            continue;
          if (std::exchange(reported, true))
            break;
          out->error = ready.error();
          out->text.set_value("stalled");
        }
        if (!reported)
          out->text.set_value("never stalled");
        const auto flushed = co_await stream->flush(patience());
        EXPECT_TRUE(flushed);
        co_await stream->shutdown_gracefully(soon());
      },
      &seen);
  // Larger than a segment of loopback: below that the kernel may wait for its persist timer.
  RawTlsClient client{listener->port(), TLS1_3_VERSION, 256 * 1024, GetParam()};
  ASSERT_TRUE(client.connected());
  seen.text.get_future().get();
  EXPECT_EQ(seen.error, Errc::timeout);
  const std::string all = client.receive_all();
  EXPECT_TRUE(client.ended_orderly());
  EXPECT_GE(all.size(), 8 * MiB);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < all.size(); ++i)
    wrong += all[i] != static_cast<char>('a' + i % 23);
  EXPECT_EQ(wrong, 0U);
}

INSTANTIATE_TEST_SUITE_P(RecordSizes, StalledTlsPeer,
                         ::testing::Values(TLSEXT_max_fragment_length_DISABLED,
                                           TLSEXT_max_fragment_length_512));

TEST_F(TlsStreamTest, WritingToAPeerThatIsGoneIsClosed) {
  Seen seen;
  const auto listener = listen(
      pool(), loopback(certificate_),
      +[](std::unique_ptr<Stream> stream, Seen* out) -> Task<void> {
        std::string buffer(100, '\0');
        const auto got = co_await stream->read_some(writable(buffer), patience());
        EXPECT_EQ(got.error(), Errc::truncated);
        const std::string page(64 * KiB, 'x');
        const auto sent = co_await stream->write_all(page, patience());
        out->error = sent ? Error{} : sent.error();
        co_await stream->shutdown_gracefully(soon());
        out->text.set_value("ended");
      },
      &seen);
  RawTlsClient client{listener->port()};
  client.socket().reset();
  seen.text.get_future().get();
  EXPECT_EQ(seen.error, Errc::closed);
}

TEST(TlsContext, RefusesFilesItCannotUse) {
  const TestCertificate one;
  const TestCertificate other;
  EXPECT_TRUE(TlsContext::server(one.certificate_file(), one.key_file()));
  EXPECT_EQ(TlsContext::server("/nonexistent", one.key_file()).error(), Errc::invalid_config);
  EXPECT_EQ(TlsContext::server(one.certificate_file(), "/nonexistent").error(),
            Errc::invalid_config);
  EXPECT_EQ(TlsContext::server(one.certificate_file(), other.key_file()).error(),
            Errc::invalid_config);
  EXPECT_TRUE(TlsContext::client(one.certificate_file()));
  EXPECT_TRUE(TlsContext::client(""));
  EXPECT_EQ(TlsContext::client("/nonexistent").error(), Errc::invalid_config);
}

}  // namespace
}  // namespace forebay::net::testing
