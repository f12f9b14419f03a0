#include "net/tls_stream.hpp"

#include "net/socket_bio.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/base/errc.hpp>
#include <forebay/base/log.hpp>

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include <boost/asio/ip/address.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace forebay::net {
namespace {

/// The largest plaintext of one TLS record (RFC 8446 section 5.1).
constexpr std::size_t kRecordMax = 16384;

/// Makes the handshake verify the certificate against `host`, and names it to the server.
Result<void> expect_host(SSL* ssl, const std::string& host) {
  boost::system::error_code no_address;
  boost::asio::ip::make_address(host, no_address);
  bool done = false;
  if (no_address) {
    // SNI takes names only (RFC 6066 section 3).
    done =
        SSL_set_tlsext_host_name(ssl, host.c_str()) == 1 && SSL_set1_host(ssl, host.c_str()) == 1;
  } else {
    done = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) == 1;
  }
  if (!done)
    return Errc::invalid_config;
  return success();
}

std::string describe_failure(const SSL* ssl) {
  const long verdict = SSL_get_verify_result(ssl);
  if (verdict != X509_V_OK)
    return X509_verify_cert_error_string(verdict);
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
  return reason != nullptr ? reason : "connection lost";
}

}  // namespace

void TlsStream::Free::operator()(SSL* ssl) const {
  SSL_free(ssl);
}

TlsStream::TlsStream(boost::asio::ip::tcp::socket socket, const TlsContext& context)
    : socket_{std::move(socket)}, ssl_{SSL_new(context.native())} {
  if (!ssl_)
    throw std::bad_alloc{};
  BIO* bio = make_socket_bio(socket_);
  SSL_set_bio(ssl_.get(), bio, bio);
}

TlsStream::~TlsStream() = default;

TlsStream::Outcome TlsStream::outcome(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_NONE:
      return Outcome::done;
    case SSL_ERROR_WANT_READ:
      return Outcome::wants_read;
    case SSL_ERROR_WANT_WRITE:
      return Outcome::wants_write;
    case SSL_ERROR_ZERO_RETURN:
      return Outcome::closed;
    default:
      failed_ = true;
      return Outcome::failed;
  }
}

Task<Result<void>> TlsStream::accept(Deadline deadline) {
  SSL_set_accept_state(ssl_.get());
  co_return co_await handshake(deadline);
}

Task<Result<void>> TlsStream::connect(const std::string& host, Deadline deadline) {
  SSL_set_connect_state(ssl_.get());
  CO_TRY(expect_host(ssl_.get(), host));
  co_return co_await handshake(deadline);
}

Task<Result<void>> TlsStream::handshake(Deadline deadline) {
  for (;;) {
    ERR_clear_error();
    const Outcome step = outcome(SSL_do_handshake(ssl_.get()));
    if (step == Outcome::done)
      co_return success();
    if (step == Outcome::closed || step == Outcome::failed) {
      log::get("net").debug("TLS handshake with {} failed: {}", remote_address(),
                            describe_failure(ssl_.get()));
      co_return Errc::protocol;
    }
    const auto ready = step == Outcome::wants_write ? Socket::Ready::write : Socket::Ready::read;
    CO_TRY(co_await socket_.wait(ready, Socket::Interrupt::ends_wait, deadline));
  }
}

Task<Result<std::size_t>> TlsStream::read_some(std::span<std::byte> buffer, Deadline deadline) {
  ASSERT(!buffer.empty());
  for (;;) {
    if (failed_)
      co_return Errc::truncated;
    ERR_clear_error();
    std::size_t got = 0;
    const Outcome step = outcome(SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &got));
    if (step == Outcome::done) {
      co_await socket_.yield_when_due();
      co_return got;
    }
    if (step == Outcome::closed)
      co_return Errc::closed;
    if (step == Outcome::failed)
      co_return socket_.closed() ? Errc::cancelled : Errc::truncated;
    read_waits_for_ = step == Outcome::wants_write ? Socket::Ready::write : Socket::Ready::read;
    CO_TRY(co_await socket_.wait(read_waits_for_, Socket::Interrupt::ignored, deadline));
  }
}

Input TlsStream::input() {
  if (failed_ || socket_.closed())
    return Input::closed;
  // Not a look at the socket alone: what waits there may be a session ticket, and data may already
  // be in OpenSSL's buffer.
  ERR_clear_error();
  std::byte byte;
  std::size_t got = 0;
  switch (outcome(SSL_peek_ex(ssl_.get(), &byte, 1, &got))) {
    case Outcome::done:
      return Input::data;
    case Outcome::wants_read:
      read_waits_for_ = Socket::Ready::read;
      return Input::none;
    case Outcome::wants_write:
      read_waits_for_ = Socket::Ready::write;
      return Input::none;
    default:
      return Input::closed;
  }
}

Task<Result<bool>> TlsStream::wait_readable(Deadline deadline) {
  while (input() == Input::none) {
    const auto ready =
        co_await socket_.wait(read_waits_for_, Socket::Interrupt::ends_wait, deadline);
    if (!ready && ready.error() == Errc::timeout)
      co_return false;
    if (!ready && ready.error() == Errc::cancelled)
      co_return ready.error();
  }
  if (socket_.closed() || (interrupted() && input() != Input::data))
    co_return Errc::cancelled;
  co_return true;
}

Result<std::size_t> TlsStream::write_record(ConstBytes data) {
  if (failed_)
    return Errc::closed;
  if (socket_.closed())
    return Errc::cancelled;
  ERR_clear_error();
  std::size_t written = 0;
  switch (outcome(SSL_write_ex(ssl_.get(), data.data(), data.size(), &written))) {
    case Outcome::done:
      return written;
    case Outcome::wants_read:
      write_waits_for_ = Socket::Ready::read;
      return std::size_t{0};
    case Outcome::wants_write:
      write_waits_for_ = Socket::Ready::write;
      return std::size_t{0};
    default:
      return Errc::closed;
  }
}

Result<void> TlsStream::write_staged() {
  if (staged_.empty())
    return success();
  TRY(const std::size_t written, write_record(staged_));
  // Without partial writes a call takes all or nothing.
  ASSERT(written == 0 || written == staged_.size());
  if (written != 0)
    std::vector<std::byte>{}.swap(staged_);
  return success();
}

Result<std::size_t> TlsStream::try_write(std::span<const ConstBytes> parts) {
  TRY(write_staged());
  std::array<std::byte, kRecordMax> joined;
  std::size_t taken = 0;
  std::size_t offset = 0;  // Within parts.front().
  while (staged_.empty() && !parts.empty()) {
    ConstBytes record = parts.front().subspan(offset);
    record = record.first(std::min(record.size(), kRecordMax));
    if (record.size() < kRecordMax && parts.size() > 1) {
      // Small parts, such as a head before its body, share a record and so a packet.
      std::size_t size = 0;
      std::size_t skip = offset;
      for (const ConstBytes part : parts) {
        const ConstBytes rest = part.subspan(skip);
        const std::size_t count = std::min(rest.size(), joined.size() - size);
        std::copy_n(rest.begin(), count, joined.begin() + static_cast<std::ptrdiff_t>(size));
        size += count;
        skip = 0;
        if (size == joined.size())
          break;
      }
      record = std::span{joined}.first(size);
    }
    if (record.empty())
      break;
    const auto written = write_record(record);
    if (!written) {
      if (taken == 0)
        return written.error();
      break;  // The next call reports it.
    }
    if (written.value() == 0)
      staged_.assign(record.begin(), record.end());
    taken += record.size();
    offset += record.size();
    while (!parts.empty() && offset >= parts.front().size()) {
      offset -= parts.front().size();
      parts = parts.subspan(1);
    }
  }
  return taken;
}

Task<Result<void>> TlsStream::flush(Deadline deadline) {
  for (;;) {
    CO_TRY(write_staged());
    if (staged_.empty())
      co_return success();
    CO_TRY(co_await socket_.wait(write_waits_for_, Socket::Interrupt::ignored, deadline));
  }
}

Task<Result<void>> TlsStream::wait_writable(Deadline deadline) {
  co_return co_await flush(deadline);
}

Task<void> TlsStream::shutdown_gracefully(Deadline deadline) {
  const auto flushed = co_await flush(deadline);
  if (flushed && !failed_ && !socket_.closed()) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
  }
  co_await socket_.half_close_and_drain(deadline);
}

}  // namespace forebay::net
