#include "proxy/origin_fetcher.hpp"

#include <forebay/base/errc.hpp>
#include <forebay/http/conditional.hpp>
#include <forebay/http/range.hpp>
#include <forebay/http/uri.hpp>
#include <forebay/runtime/waiter.hpp>

#include <algorithm>
#include <random>
#include <utility>

namespace forebay::proxy {
namespace {

constexpr int kOk = 200;
constexpr int kPartialContent = 206;
constexpr int kUnauthorized = 401;
constexpr int kForbidden = 403;
constexpr int kNotFound = 404;
constexpr int kPreconditionFailed = 412;
constexpr int kRangeNotSatisfiable = 416;
constexpr int kTooManyRequests = 429;
constexpr int kServerError = 500;
constexpr int kServiceUnavailable = 503;
/// A reader is told to come again rather than kept longer by an origin in trouble.
constexpr milliseconds kDemandPatience{2'000};
/// The longest that a demand fill steps back behind lookups.
constexpr std::chrono::duration<double, std::milli> kDemandStep{100};

class ExchangeSource final : public cache::ByteSource {
 public:
  ExchangeSource(std::unique_ptr<origin::Exchange> exchange, std::uint64_t body,
                 std::uint64_t wanted)
      : exchange_{std::move(exchange)}, left_{wanted}, more_follows_{wanted < body} {}

  Task<Result<std::size_t>> read(std::span<std::byte> buffer, Deadline deadline) override {
    if (more_follows_) {
      buffer =
          buffer.first(static_cast<std::size_t>(std::min<std::uint64_t>(left_, buffer.size())));
      if (buffer.empty())
        co_return std::size_t{0};
    }
    auto got = co_await exchange_->read_body(buffer, deadline);
    if (!got)
      co_return got.error();
    // A body framed without a length may end anywhere, or not at all.
    if (got.value() > left_)
      co_return Errc::protocol;
    if (got.value() == 0 && left_ != 0)
      co_return Errc::truncated;
    left_ -= got.value();
    co_return got.value();
  }

 private:
  std::unique_ptr<origin::Exchange> exchange_;
  std::uint64_t left_;
  bool more_follows_;
};

Error error_of_status(int status) {
  switch (status) {
    case kUnauthorized:
    case kForbidden:
      return Errc::refused;
    case kNotFound:
    case kPreconditionFailed:
    case kRangeNotSatisfiable:
      return Errc::changed;
    case kTooManyRequests:
    case kServiceUnavailable:
      return Errc::overloaded;
    default:
      return status >= kServerError ? Errc::unavailable : Errc::refused;
  }
}

double random_unit() {
  thread_local std::mt19937_64 generator{std::random_device{}()};
  return std::uniform_real_distribution<double>{0, 1}(generator);
}

origin::Reason reason_of(cache::FillReason reason) {
  switch (reason) {
    case cache::FillReason::prestage:
      return origin::Reason::prestage;
    case cache::FillReason::background:
      return origin::Reason::background;
    case cache::FillReason::demand:
      break;
  }
  return origin::Reason::fill;
}

}  // namespace

Result<http::ByteRange> check_version(const http::ResponseHead& answer,
                                      const cache::Identity& identity) {
  const auto etag = http::strong_etag(answer.headers.value_or_empty("ETag"));
  if (etag && *etag != identity.etag)
    return Errc::changed;
  if (answer.status != kOk && answer.status != kPartialContent)
    return error_of_status(answer.status);
  if (!etag || answer.headers.value_or_empty("x-amz-version-id") != identity.version_id)
    return Errc::changed;
  http::ContentRange range{{0, identity.size - 1}, identity.size};
  if (answer.status == kPartialContent) {
    TRY(range, http::parse_content_range(answer.headers.value_or_empty("Content-Range")));
  }
  if (range.total != identity.size)
    return Errc::changed;
  return range.range;
}

std::unique_ptr<cache::ByteSource> make_source(std::unique_ptr<origin::Exchange> exchange,
                                               std::uint64_t body, std::uint64_t wanted) {
  return std::make_unique<ExchangeSource>(std::move(exchange), body, wanted);
}

http::RequestHead fill_request(const http::RequestHead& request, std::string target) {
  http::RequestHead fill;
  fill.method = "GET";
  fill.target = std::move(target);
  for (const char* name :
       {"x-amz-request-payer", "x-amz-expected-bucket-owner", "x-forwarded-for"}) {
    if (const auto value = request.headers.get(name); value)
      fill.headers.add(name, std::string{*value});
  }
  return fill;
}

OriginFetcher::OriginFetcher(origin::Client& client, origin::CallerPtr caller,
                             http::RequestHead request)
    : client_{client},
      caller_{std::move(caller)},
      request_{std::move(request)},
      names_version_{http::split_target(request_.target).query.has_value()} {}

std::size_t OriginFetcher::memory_bytes() const {
  const s3::Authorization& authorization = caller_->authorization;
  std::size_t bytes = sizeof *this + sizeof *caller_ + request_.target.size() +
                      authorization.signature.size() + authorization.payload_hash.size() +
                      authorization.session_token.size();
  for (const std::string& name : authorization.signed_headers)
    bytes += sizeof name + name.size();
  for (const http::Headers::Field& field : request_.headers)
    bytes += sizeof field + field.name.size() + field.value.size();
  return bytes;
}

Task<Result<std::unique_ptr<cache::ByteSource>>> OriginFetcher::attempt(Question& question) {
  const bool has_id = !names_version_ && question.identity.has_version();
  question.by_id = has_id && is_superseded_;
  if (!question.by_id) {
    auto source = co_await ask(question);
    if (source || source.error() != Errc::changed || !has_id)
      co_return source;
    is_superseded_ = true;
    question.by_id = true;
  }
  auto source = co_await ask(question);
  if (!source && source.error() == Errc::refused)
    co_return Errc::changed;
  co_return source;
}

Task<Result<std::unique_ptr<cache::ByteSource>>> OriginFetcher::ask(Question& question) {
  const auto& [identity, range, reason, deadline, queue, by_id, retry_after] = question;
  http::RequestHead request = request_;
  if (by_id)
    request.target.append("?versionId=").append(http::percent_encode(identity.version_id));
  request.headers.set("Range", http::format_range(range));
  request.headers.set("If-Match", '"' + identity.etag + '"');
  http::ResponseHead answer;
  auto exchange =
      co_await origin::ask_as(*caller_, client_, origin::SignBy::header, std::move(request),
                              reason_of(reason), deadline, answer, queue);
  if (!exchange)
    co_return exchange.error();
  question.retry_after = origin::parse_retry_after(
      answer.headers.value_or_empty("Retry-After"),
      std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()));
  CO_TRY(const http::ByteRange sent, check_version(answer, identity));
  if (sent.first != range.first || sent.last != range.last)
    co_return Errc::protocol;
  co_return make_source(std::move(exchange).value(), range.length(), range.length());
}

Task<Result<std::unique_ptr<cache::ByteSource>>> OriginFetcher::open(cache::ObjectPtr object,
                                                                     std::uint64_t offset,
                                                                     std::uint64_t length,
                                                                     cache::FillReason reason,
                                                                     Deadline queue) {
  const Deadline deadline = Deadline::after(client_.config().first_byte_timeout);
  const Deadline patience =
      reason == cache::FillReason::demand ? deadline.capped(kDemandPatience) : deadline;
  const http::ByteRange range{offset, offset + length - 1};
  const origin::RetryPolicy policy{{}, client_.retries()};
  // Under SlowDown lookups go first: demand waits a moment, and what nobody waits for until the
  // origin has had the time it asked for.
  const Deadline spared = Deadline::at(client_.pressure().until());
  if (!spared.expired()) {
    const auto moment = std::chrono::duration_cast<Clock::duration>(kDemandStep * random_unit());
    const Deadline turn = reason == cache::FillReason::demand ? spared.capped(moment) : spared;
    if (deadline.when() < turn.when())
      co_return Errc::overloaded;
    co_await runtime::sleep_until(turn);
  }
  client_.retries().earn();
  for (int attempts = 1;; ++attempts) {
    Question question{object->identity(), range, reason, deadline, queue, false, std::nullopt};
    auto source = co_await attempt(question);
    if (source || !is_retryable(source.error()))
      co_return source;
    const origin::RetryPolicy::Failure failure{attempts, question.retry_after,
                                               patience.when() - Clock::now()};
    const auto wait = policy.next_wait(failure, random_unit());
    if (!wait)
      co_return source.error();
    co_await runtime::sleep_until(Deadline::after(*wait));
  }
}

}  // namespace forebay::proxy
