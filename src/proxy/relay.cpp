#include "proxy/relay.hpp"

#include <forebay/base/errc.hpp>
#include <forebay/http/header_rules.hpp>
#include <forebay/s3/location.hpp>

#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace forebay::proxy {

s3::Failure failure_of(const Error& error) {
  if (error == Errc::overloaded)
    return s3::Failure{s3::ErrorCode::slow_down};
  return s3::Failure{s3::ErrorCode::service_unavailable,
                     "The origin could not be reached: " + error.message() + "."};
}

namespace {

/// The longest body of a known length that is looked into.
constexpr std::uint64_t kFilteredMax = 64 * KiB;

/// A body of a known, small length, filtered.
Task<Result<std::string>> read_filtered(origin::Exchange& exchange, s3::LocationFilter& filter,
                                        milliseconds progress) {
  std::string body;
  std::vector<std::byte> buffer(kRelayBuffer);
  for (;;) {
    CO_TRY(const std::size_t got, co_await exchange.read_body(buffer, Deadline::after(progress)));
    if (got == 0)
      break;
    body += filter.feed({reinterpret_cast<const char*>(buffer.data()), got});
  }
  body += filter.finish();
  co_return body;
}

/// The body from the origin to the client, through `filter` where there is one.
Task<Result<void>> relay_body(Session& session, origin::Exchange& exchange,
                              net::MessageWriter& writer, s3::LocationFilter* filter) {
  const milliseconds progress = session.shared().client.config().progress_timeout;
  const bool endless = exchange.framing().framing != http::Framing::length;
  std::vector<std::byte> buffer(kRelayBuffer);
  std::string filtered;
  for (;;) {
    if (endless) {
      // A long silence, as in CompleteMultipartUpload, must not hold the head back.
      CO_TRY(co_await writer.flush(session.send_deadline()));
    }
    CO_TRY(const std::size_t got, co_await exchange.read_body(buffer, Deadline::after(progress)));
    std::span<const std::byte> piece = std::span{buffer}.first(got);
    if (filter != nullptr) {
      filtered = got == 0 ? filter->finish()
                          : filter->feed({reinterpret_cast<const char*>(piece.data()), got});
      piece = std::as_bytes(std::span{filtered});
    }
    if (!piece.empty()) {
      CO_TRY(co_await writer.write(piece, session.send_deadline()));
    }
    if (got == 0)
      co_return success();
  }
}

Task<void> relay(Session& session, origin::Exchange& exchange, http::ResponseHead answer,
                 s3::LocationFilter* filter) {
  http::BodyFraming framing = exchange.framing();
  answer.headers = http::end_to_end(answer.headers);
  std::optional<std::string> whole;
  if (filter != nullptr && framing.framing == http::Framing::length &&
      framing.length <= kFilteredMax) {
    auto body = co_await read_filtered(exchange, *filter,
                                       session.shared().client.config().progress_timeout);
    if (!body)
      co_return session.cut();
    whole = std::move(body).value();
    framing.length = whole->size();
    answer.headers.set("Content-Length", std::to_string(framing.length));
  }
  auto writer = session.begin_answer(std::move(answer), framing);
  if (!writer)
    co_return session.cut();
  Result<void> relayed = success();
  if (whole)
    relayed = co_await writer.value().write(net::as_bytes(*whole), session.send_deadline());
  else if (framing.framing != http::Framing::none)
    relayed = co_await relay_body(session, exchange, writer.value(),
                                  framing.framing == http::Framing::length ? nullptr : filter);
  if (relayed)
    relayed = co_await writer.value().finish(session.send_deadline());
  session.record().bytes_out = writer.value().written();
  if (!relayed)
    session.cut();
}

}  // namespace

Task<void> relay_answer(Session& session, origin::Exchange& exchange, http::ResponseHead answer) {
  co_await relay(session, exchange, std::move(answer), nullptr);
}

Task<void> relay_located(Session& session, const Request& request, origin::Exchange& exchange,
                         http::ResponseHead answer) {
  const origin::Client& client = session.shared().client;
  const std::string& endpoint = client.config().endpoint;
  const std::string origin =
      endpoint.substr(0, endpoint.find("//") + 2) + client.route(request.origin_target).host;
  const bool is_tls = !session.shared().listen.certificate_file.empty();
  std::string node = is_tls ? "https://" : "http://";
  node += request.head.headers.value_or_empty("Host");
  s3::LocationFilter filter{origin, node};
  if (const auto location = answer.headers.get("Location"); location)
    answer.headers.set("Location", filter.replace(*location));
  co_await relay(session, exchange, std::move(answer), &filter);
}

}  // namespace forebay::proxy
