#include "app/purge_client.hpp"

#include <forebay/base/errc.hpp>
#include <forebay/base/units.hpp>
#include <forebay/http/header_rules.hpp>
#include <forebay/http/uri.hpp>
#include <forebay/net/connect.hpp>
#include <forebay/net/http_reader.hpp>
#include <forebay/net/http_writer.hpp>
#include <forebay/runtime/worker.hpp>

#include <array>
#include <future>
#include <memory>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

namespace forebay::app {
namespace {

constexpr std::chrono::seconds kTimeout{60};
constexpr std::size_t kAnswerMax = 64 * KiB;

struct HttpAnswer {
  int status = 0;
  std::string body;
};

Task<Result<HttpAnswer>> exchange(net::Stream& stream, const std::string& request,
                                  Deadline deadline) {
  CO_TRY(co_await stream.write_all(request, deadline));
  net::HttpReader reader{stream};
  CO_TRY(const http::ResponseHead head, co_await reader.read_response(deadline));
  CO_TRY(const http::BodyFraming framing, http::response_framing("POST", head));
  reader.set_body(framing);
  HttpAnswer answer{.status = head.status, .body = {}};
  std::array<std::byte, 4 * KiB> piece;
  for (;;) {
    CO_TRY(const std::size_t size, co_await reader.read_body(piece, deadline));
    if (size == 0)
      co_return answer;
    answer.body.append(reinterpret_cast<const char*>(piece.data()), size);
    if (answer.body.size() > kAnswerMax)
      co_return Errc::too_large;
  }
}

Task<Result<HttpAnswer>> connect_and_exchange(net::Endpoint endpoint, http::RequestHead head) {
  const Deadline deadline = Deadline::after(kTimeout);
  CO_TRY(const std::unique_ptr<net::Stream> stream,
         co_await net::connect(endpoint, nullptr, deadline));
  // The address, not the name it was found by: the node takes no names but its own, because a page
  // in a browser may have any name resolve to the node.
  head.headers.add("Host", stream->remote_address());
  CO_TRY(std::string text, net::serialize(head));
  const Secret request{std::move(text)};
  co_return co_await exchange(*stream, request.str(), deadline);
}

using AnswerPromise = std::shared_ptr<std::promise<Result<HttpAnswer>>>;

Task<void> post(net::Endpoint endpoint, http::RequestHead head, AnswerPromise promise) {
  auto answer = co_await connect_and_exchange(std::move(endpoint), std::move(head));
  promise->set_value(std::move(answer));
}

Result<HttpAnswer> post_and_wait(net::Endpoint endpoint, http::RequestHead head) {
  runtime::WorkerPool worker{runtime::Config{.workers = 1}};
  const auto promise = std::make_shared<std::promise<Result<HttpAnswer>>>();
  auto answer = promise->get_future();
  worker.spawn_on(0, "purge", &post, std::move(endpoint), std::move(head), promise);
  Result<HttpAnswer> result = answer.get();
  worker.drain(Deadline::never());
  return result;
}

http::RequestHead purge_request(const PurgeTarget& target, const Secret& token) {
  const http::Query query{{.name = "bucket", .value = target.bucket},
                          {.name = "prefix", .value = target.prefix}};
  http::RequestHead head;
  head.method = "POST";
  head.target = "/purge?" + http::format_query(query);
  head.headers.add("Content-Length", "0");
  head.headers.add("Connection", "close");
  if (!token.empty())
    head.headers.add("Authorization", "Bearer " + token.str());
  return head;
}

/// What of an answer's "unreached" an operator has to know, or nothing.
std::string describe_unreached(const boost::json::object& answer) {
  const boost::json::value* unreached = answer.if_contains("unreached");
  if (unreached == nullptr || !unreached->is_array())
    return {};
  std::string text;
  for (const boost::json::value& one : unreached->get_array()) {
    const boost::json::object* object = one.if_object();
    const boost::json::value* device = object != nullptr ? object->if_contains("device") : nullptr;
    const boost::json::value* blocks = object != nullptr ? object->if_contains("blocks") : nullptr;
    if (device == nullptr || !device->is_string() || blocks == nullptr || !blocks->is_number())
      continue;
    text += fmt::format(
        "{}{} cannot be written now: {} blocks are not served any more, but a restart before it "
        "can be may find them",
        text.empty() ? "" : "; ", std::string_view{device->get_string()},
        blocks->to_number<std::uint64_t>());
  }
  return text;
}

PurgeAnswer understand(const HttpAnswer& answer) {
  boost::system::error_code ec;
  const boost::json::value json = boost::json::parse(answer.body, ec);
  const boost::json::object* object = ec ? nullptr : json.if_object();
  const boost::json::value* purged = object != nullptr ? object->if_contains("purged") : nullptr;
  if (answer.status == 200 && purged != nullptr && purged->is_number())
    return {.done = true,
            .purged = purged->to_number<std::uint64_t>(),
            .message = describe_unreached(*object)};
  const boost::json::value* error = object != nullptr ? object->if_contains("error") : nullptr;
  const bool told = error != nullptr && error->is_string();
  return {.done = false,
          .purged = 0,
          .message = fmt::format("answered {}: {}", answer.status,
                                 told ? std::string_view{error->get_string()} : "no reason given")};
}

}  // namespace

Result<PurgeTarget> parse_purge_target(std::string_view uri) {
  constexpr std::string_view kScheme = "s3://";
  if (!uri.starts_with(kScheme))
    return Errc::invalid_config;
  uri.remove_prefix(kScheme.size());
  const auto slash = uri.find('/');
  PurgeTarget target{.bucket = std::string{uri.substr(0, slash)}, .prefix = {}};
  if (slash != std::string_view::npos)
    target.prefix = uri.substr(slash + 1);
  if (target.bucket.empty())
    return Errc::invalid_config;
  return target;
}

PurgeAnswer purge(const std::string& admin, const PurgeTarget& target, const Secret& token) {
  const auto endpoint = net::parse_host_port(admin);
  if (!endpoint)
    return {.done = false, .purged = 0, .message = "is not host:port"};
  const auto answer = post_and_wait(endpoint.value(), purge_request(target, token));
  if (!answer) {
    const bool absent = answer.error() == Errc::unavailable;
    return {.done = false,
            .purged = 0,
            .message = absent ? "no node answers there" : answer.error().message()};
  }
  return understand(answer.value());
}

}  // namespace forebay::app
