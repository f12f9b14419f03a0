#include "proxy/relay.hpp"

#include <forebay/base/errc.hpp>
#include <forebay/http/header_rules.hpp>

#include <utility>
#include <vector>

namespace forebay::proxy {

s3::Failure failure_of(const Error& error) {
  if (error == Errc::overloaded)
    return s3::Failure{s3::ErrorCode::slow_down};
  return s3::Failure{s3::ErrorCode::service_unavailable,
                     "The origin could not be reached: " + error.message() + "."};
}

Task<void> relay_answer(Session& session, origin::Exchange& exchange, http::ResponseHead answer) {
  const http::BodyFraming framing = exchange.framing();
  const milliseconds progress = session.shared().client.config().progress_timeout;
  answer.headers = http::end_to_end(answer.headers);
  auto writer = session.begin_answer(std::move(answer), framing);
  if (!writer) {
    session.cut();
    co_return;
  }
  std::vector<std::byte> buffer(framing.framing == http::Framing::none ? 0 : kRelayBuffer);
  const auto failed = [&session, &writer] {
    session.record().bytes_out = writer.value().written();
    session.cut();
  };
  while (!buffer.empty()) {
    if (framing.framing != http::Framing::length) {
      // A long silence, as in CompleteMultipartUpload, must not hold the head back.
      const Result<void> flushed = co_await writer.value().flush(session.send_deadline());
      if (!flushed)
        co_return failed();
    }
    auto got = co_await exchange.read_body(buffer, Deadline::after(progress));
    if (!got)
      co_return failed();
    if (got.value() == 0)
      break;
    const std::span<const std::byte> piece = std::span{buffer}.first(got.value());
    const Result<void> written = co_await writer.value().write(piece, session.send_deadline());
    if (!written)
      co_return failed();
  }
  const Result<void> finished = co_await writer.value().finish(session.send_deadline());
  session.record().bytes_out = writer.value().written();
  if (!finished)
    session.cut();
}

}  // namespace forebay::proxy
