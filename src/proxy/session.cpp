#include "proxy/session.hpp"

#include "proxy/authenticate.hpp"
#include "proxy/origin_request.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/base/errc.hpp>
#include <forebay/base/glob.hpp>
#include <forebay/base/log.hpp>
#include <forebay/base/metrics.hpp>
#include <forebay/base/secret.hpp>
#include <forebay/http/date.hpp>
#include <forebay/http/field_names.hpp>
#include <forebay/http/header_rules.hpp>
#include <forebay/http/uri.hpp>
#include <forebay/s3/query_rules.hpp>

#include <chrono>
#include <random>
#include <utility>

namespace forebay::proxy {
namespace {

/// An unread request body up to this is read away, so that the connection can go on.
constexpr std::uint64_t kDiscardMax = 256 * KiB;
/// How long a client that is being refused gets to read why.
constexpr milliseconds kLingerTimeout{2'000};
constexpr std::string_view kRetryAfterSeconds = "1";

constexpr int kServiceUnavailable = 503;

std::string new_request_id() {
  thread_local std::mt19937_64 generator{std::random_device{}()};
  return s3::request_id(generator());
}

std::chrono::sys_seconds wall_clock() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

metrics::Counter& requests_total(int status) {
  constexpr int kHundred = 100;
  static metrics::Registry& registry = metrics::Registry::instance();
  const auto counter = [](const char* label) -> metrics::Counter& {
    return registry.counter("forebay_requests_total", "Requests answered, by status class.",
                            {{"class", label}});
  };
  static metrics::Counter* classes[] = {&counter("cut"), &counter("1xx"), &counter("2xx"),
                                        &counter("3xx"), &counter("4xx"), &counter("5xx")};
  return *classes[status >= kHundred && status < 6 * kHundred ? status / kHundred : 0];
}

/// What a client chose, encoded so that a line stays one line and fields stay apart.
std::string loggable(std::string_view text) {
  return text.empty() ? "-" : http::percent_encode(mask_signatures(text), http::Slash::keep);
}

s3::ErrorCode error_of(http::Refusal refusal) {
  switch (refusal) {
    case http::Refusal::transfer_coding:
      return s3::ErrorCode::not_implemented;
    case http::Refusal::too_many_fields:
    case http::Refusal::field_size:
      return s3::ErrorCode::request_header_section_too_large;
    default:
      return s3::ErrorCode::bad_request;
  }
}

origin::CallerPtr keyless(s3::Authorization::Kind kind) {
  s3::Authorization authorization;
  authorization.kind = kind;
  return origin::keyless_caller(std::move(authorization));
}

bool wants_close(const http::RequestHead& head) {
  const std::string_view connection = head.headers.value_or_empty("Connection");
  return head.minor_version == 0 || http::to_lower(connection).find("close") != std::string::npos;
}

}  // namespace

const CacheRule* find_rule(const ProxyConfig& config, std::string_view bucket,
                           std::string_view key) {
  for (const CacheRule& rule : config.rules) {
    if (glob_matches(rule.bucket, bucket) && key.starts_with(rule.prefix))
      return &rule;
  }
  return nullptr;
}

Session::Session(Shared& shared, std::unique_ptr<net::Stream> stream)
    : shared_{shared},
      stream_{std::move(stream)},
      reader_{*stream_, net::HttpReader::Limits{shared.listen.max_header_size}} {}

Task<void> Session::run() {
  bool go_on = true;
  while (go_on)
    go_on = co_await one_request();
  if (cut_ && http_1_0_)
    stream_->abort();  // To HTTP/1.0 an orderly end would say that a body is whole.
  else if (cut_)
    stream_->close();
  else
    co_await stream_->shutdown_gracefully(Deadline::after(kLingerTimeout));
}

void Session::cut() {
  cut_ = true;
  keep_alive_ = false;
}

Task<bool> Session::one_request() {
  auto head = co_await reader_.read_request(Deadline::after(shared_.listen.idle_timeout),
                                            shared_.listen.header_timeout);
  record_ = AccessRecord{};
  record_.request_id = new_request_id();
  keep_alive_ = true;
  head_request_ = false;
  expects_continue_ = false;
  resource_ = "/";
  if (!head) {
    co_await answer_unreadable(head.error());
    co_return false;
  }
  Request request;
  request.head = std::move(head).value();
  s3::Outcome<void> prepared = prepare(request);
  if (prepared)
    co_await dispatch(request);
  else
    co_await answer_error(std::move(prepared).error());
  co_await finish_request_body();
  requests_total(cut_ ? 0 : record_.status).add();
  log_access();
  co_return keep_alive_ && !cut_ && !stream_->interrupted();
}

/// A head that could not be read: the client left, was too slow, or sent something else than HTTP.
Task<void> Session::answer_unreadable(Error error) {
  keep_alive_ = false;
  if (error == Errc::timeout) {
    co_await answer_error(s3::Failure{s3::ErrorCode::request_timeout});
  } else if (error == Errc::too_large) {
    co_await answer_error(s3::Failure{s3::ErrorCode::request_header_section_too_large});
  } else if (error == Errc::protocol) {
    co_await answer_error(s3::Failure{s3::ErrorCode::bad_request});
  } else {
    cut_ = error != Errc::cancelled;
    co_return;
  }
  requests_total(record_.status).add();
  log_access();
}

/// All that can be wrong with a request before the origin is asked.
s3::Outcome<void> Session::prepare(Request& request) {
  head_request_ = request.head.method == "HEAD";
  http_1_0_ = request.head.minor_version == 0;
  const bool foreign = !http::to_origin_form(request.head, shared_.config.domains);
  resource_ = std::string{http::split_target(request.head.target).path};
  if (foreign) {
    keep_alive_ = false;
    return s3::Failure{s3::ErrorCode::bad_request,
                       "The request target names a host that is not served here (listen.domains)."};
  }
  TRY(prepare_framing(request));
  // Before the signature is looked at: a field that it covers must not go missing behind that.
  http::remove_connection_named(request.head.headers);
  auto understood = prepare_target(request);
  // What is passed on need not be understood: the origin answers it.
  if (!understood && shared_.config.auth_mode == AuthMode::verify)
    return std::move(understood).error();
  if (shared_.config.path_style == PathStyle::reject && !request.address.virtual_host &&
      !request.address.bucket.empty())
    return s3::Failure{s3::ErrorCode::path_style_request_not_allowed};
  record_.bucket = request.address.bucket;
  record_.key = request.address.key;
  s3::Outcome<void> allowed = prepare_caller(request);
  record_.operation = s3::name(request.operation);
  if (!allowed)
    return allowed;
  TRY(prepare_payload(request));
  name_client(request.head.headers, stream_->remote_address(), shared_.forwarding);
  request.origin_target = origin_target(request);
  return success();
}

/// What the request is for. Where that cannot be told the operation stays `other`.
s3::Outcome<void> Session::prepare_target(Request& request) {
  TRY(s3::Address address, s3::parse_address(request.head, shared_.config.domains));
  auto query = http::parse_query(http::split_target(request.head.target).query.value_or(""));
  if (!query)
    return s3::Failure{s3::ErrorCode::invalid_uri};
  request.address = std::move(address);
  request.query = std::move(query).value();
  request.operation =
      s3::classify(request.head.method, request.address, request.query, request.head.headers);
  return success();
}

/// What the head says of its own shape, and of the body's.
s3::Outcome<void> Session::prepare_framing(Request& request) {
  auto refusal = http::check_request(request.head);
  if (!refusal)
    refusal = http::check_names(request.head.headers);
  if (refusal) {
    keep_alive_ = false;
    return s3::Failure{error_of(*refusal), std::string{http::describe(*refusal)}};
  }
  keep_alive_ = !wants_close(request.head);
  auto framing = http::request_framing(request.head);
  if (!framing) {
    keep_alive_ = false;
    return s3::Failure{s3::ErrorCode::bad_request};
  }
  request.body = framing.value();
  reader_.set_body(request.body);
  const bool expects = http::iequals(request.head.headers.value_or_empty("Expect"), "100-continue");
  expects_continue_ = expects && request.has_body() && !http_1_0_;
  // botocore expects a 100 for an empty body, too; where none comes it reads the answer to its next
  // request wrongly and waits for ever (boto/botocore#3755), unless that needs a new connection.
  if (expects && !request.has_body())
    keep_alive_ = false;
  return success();
}

/// Who asks, and whether this node lets them.
s3::Outcome<void> Session::prepare_caller(Request& request) {
  using Kind = s3::Authorization::Kind;
  if (shared_.config.auth_mode == AuthMode::passthrough) {
    request.caller = keyless(Kind::passed_on);
    request.claimed = s3::claimed_signature(request.head, request.query);
    return success();
  }
  // A preflight has the query of the request that it announces, signed for another method.
  if (request.is_preflight()) {
    request.caller = keyless(Kind::anonymous);
    return success();
  }
  if (auto wrong = s3::check_parameters(request.query); wrong)
    return *std::move(wrong);
  const bool is_form = s3::is_form_post(request.head);
  const AuthContext context{
      .credentials = *shared_.callers,
      // The authorisation of a form lies in its body.
      .anonymous = is_form ? AnonymousPolicy::forward : shared_.config.anonymous,
      .now = wall_clock(),
      .max_skew = std::chrono::duration_cast<std::chrono::seconds>(shared_.config.clock_skew)};
  TRY(request.caller, authenticate(context, request.head, request.address, request.query));
  record_.access_key = request.caller->key->access_key;
  if (is_form && request.caller->authorization.kind == Kind::anonymous)
    request.operation = s3::Operation::post_object;
  else if (request.operation == s3::Operation::post_object)
    return s3::Failure{s3::ErrorCode::invalid_argument,
                       "Only one auth mechanism allowed; a form is authorised by its policy."};
  if (request.operation == s3::Operation::create_session)
    return s3::Failure{s3::ErrorCode::not_implemented,
                       "CreateSession is not implemented; sign each request."};
  return authorize(*request.caller, request.address, request.operation, request.head.headers,
                   request.query);
}

/// What the body will be checked against; at once where there is none.
s3::Outcome<void> Session::prepare_payload(Request& request) {
  if (request.is_passed_on())
    return success();
  const s3::Authorization& authorization = request.caller->authorization;
  TRY(request.claims,
      s3::payload_claims(request.head, request.operation, authorization.payload_hash));
  if (request.claims.is_signed_by_chunk() && authorization.kind != s3::Authorization::Kind::header)
    return s3::Failure{s3::ErrorCode::not_implemented,
                       "Signed chunks need a signature in the Authorization header."};
  if (request.has_body())
    return success();
  if (request.claims.mode == s3::PayloadMode::sha256 && request.claims.sha256 != s3::kEmptyPayload)
    return s3::Failure{s3::ErrorCode::xamz_content_sha256_mismatch};
  if (!request.claims.is_chunked() && request.claims.sums.empty())
    return success();
  return s3::PayloadVerifier{request.claims, request.chunk_signer()}.finish();
}

Task<void> Session::dispatch(Request& request) {
  switch (request.operation) {
    case s3::Operation::get_object:
      co_await read_object(*this, request);
      break;
    case s3::Operation::head_object:
      co_await head_object(*this, request);
      break;
    case s3::Operation::post_object:
      if (request.is_passed_on())
        co_await forward(*this, request);
      else
        co_await post_object(*this, request);
      break;
    default:
      co_await forward(*this, request);
      break;
  }
}

/// What the client still sends of a body nobody wants: a little is read away, more ends the
/// connection.
Task<void> Session::finish_request_body() {
  if (reader_.body_done() || cut_)
    co_return;
  if (expects_continue_ || !keep_alive_) {
    // It was never told to send the body; it may do so all the same, and then it cannot be told
    // from a request.
    keep_alive_ = false;
    co_return;
  }
  const Result<void> discarded =
      co_await reader_.discard_body(kDiscardMax, Deadline::after(kLingerTimeout));
  if (!discarded)
    keep_alive_ = false;
}

Result<net::MessageWriter> Session::begin_answer(http::ResponseHead head, http::BodyFraming body) {
  record_.status = head.status;
  if (const auto id = head.headers.get("x-amz-request-id"); id)
    record_.request_id = *id;
  if (body.framing == http::Framing::until_close || body.framing == http::Framing::chunked) {
    body.framing = http_1_0_ ? http::Framing::until_close : http::Framing::chunked;
    head.headers.remove("Content-Length");
    if (http_1_0_)
      keep_alive_ = false;
    else
      head.headers.set("Transfer-Encoding", "chunked");
  }
  if (!reader_.body_done() && expects_continue_)
    keep_alive_ = false;
  if (!keep_alive_ || stream_->interrupted()) {
    keep_alive_ = false;
    head.headers.set("Connection", "close");
  } else if (http_1_0_) {
    head.headers.set("Connection", "keep-alive");
  }
  if (record_.cache != "-")
    head.headers.set("x-forebay-cache", std::string{record_.cache});
  TRY(std::string text, net::serialize(head));
  return net::MessageWriter{*stream_, std::move(text), body};
}

Task<void> Session::answer_error(s3::Failure failure) {
  http::ResponseHead head;
  head.status = failure.status();
  head.headers.add("Content-Type", "application/xml");
  head.headers.add("x-amz-request-id", record_.request_id);
  head.headers.add("Date", http::format_date(wall_clock()));
  head.headers.add("Server", "forebay");
  if (head.status == kServiceUnavailable)
    head.headers.add("Retry-After", std::string{kRetryAfterSeconds});
  std::string xml = s3::to_xml(failure, resource_, record_.request_id);
  if (head_request_)
    xml.clear();
  head.headers.add("Content-Length", std::to_string(xml.size()));
  auto writer = begin_answer(std::move(head), {http::Framing::length, xml.size()});
  ASSERT(writer);
  const Result<void> written = co_await writer.value().write(net::as_bytes(xml), send_deadline());
  const Result<void> finished = co_await writer.value().finish(send_deadline());
  record_.bytes_out = xml.size();
  if (!written || !finished)
    cut();
}

void Session::log_access() const {
  if (!shared_.config.access_log)
    return;
  static spdlog::logger& logger = log::get("access");
  const std::chrono::duration<double, std::milli> elapsed = Clock::now() - record_.started;
  logger.info("{} {} {} {} bucket={} key={} status={} in={} out={} ms={:.1f} cache={}{}",
              record_.request_id, stream_->remote_address(), loggable(record_.access_key),
              record_.operation, loggable(record_.bucket), loggable(record_.key), record_.status,
              record_.bytes_in, record_.bytes_out, elapsed.count(), record_.cache,
              cut_ ? " cut" : "");
}

}  // namespace forebay::proxy
