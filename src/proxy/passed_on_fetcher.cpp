#include "proxy/passed_on_fetcher.hpp"

#include "proxy/origin_fetcher.hpp"
#include "proxy/relay.hpp"

#include <forebay/base/errc.hpp>
#include <forebay/http/range.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace forebay::proxy {
namespace {

/// Reads away what the caller's own range has before the bytes wanted.
Task<Result<void>> pass_over(origin::Exchange& exchange, std::uint64_t size,
                             milliseconds patience) {
  std::vector<std::byte> buffer(kRelayBuffer);
  while (size != 0) {
    const auto piece = std::min<std::uint64_t>(size, buffer.size());
    CO_TRY(const std::size_t got,
           co_await exchange.read_body(std::span{buffer}.first(static_cast<std::size_t>(piece)),
                                       Deadline::after(patience)));
    if (got == 0)
      co_return Errc::truncated;
    size -= got;
  }
  co_return success();
}

}  // namespace

PassedOnFetcher::PassedOnFetcher(origin::Client& client, origin::CallerPtr caller,
                                 http::RequestHead request, cache::FetcherPtr by_node)
    : client_{client},
      caller_{std::move(caller)},
      request_{std::move(request)},
      by_node_{std::move(by_node)},
      name_{request_.target} {
  name_ += request_.headers.value_or_empty("Authorization");
}

Task<Result<std::unique_ptr<cache::ByteSource>>> PassedOnFetcher::open(cache::ObjectPtr object,
                                                                       std::uint64_t offset,
                                                                       std::uint64_t length,
                                                                       cache::FillReason reason,
                                                                       Deadline queue) {
  if (by_node_) {
    auto source = co_await by_node_->open(object, offset, length, reason, queue);
    if (source || source.error() != Errc::refused)
      co_return source;
  }
  // In nobody's name but the caller's, and for nobody else.
  if (reason != cache::FillReason::demand || request_.method != "GET")
    co_return Errc::refused;
  co_return co_await open_by_caller(object->identity(), offset, length, queue);
}

Task<Result<std::unique_ptr<cache::ByteSource>>> PassedOnFetcher::open_by_caller(
    const cache::Identity& identity, std::uint64_t offset, std::uint64_t length, Deadline queue) {
  http::RequestHead request = request_;
  const http::RangeRequest own = http::parse_range(request.headers);
  if (own.kind == http::RangeRequest::Kind::none) {
    request.headers.set("Range", http::format_range({offset, offset + length - 1}));
  } else {
    const auto bytes = http::resolve(own.spec, identity.size);
    if (!bytes || offset < bytes->first || offset + length - 1 > bytes->last)
      co_return Errc::refused;
  }
  http::ResponseHead answer;
  const Deadline deadline = Deadline::after(client_.config().first_byte_timeout);
  auto exchange =
      co_await client_.get(std::move(request), origin::Reason::fill, deadline, answer, queue);
  if (!exchange)
    co_return exchange.error();
  CO_TRY(const http::ByteRange sent, check_version(answer, identity));
  if (offset < sent.first || offset + length - 1 > sent.last)
    co_return Errc::protocol;
  CO_TRY(co_await pass_over(*exchange.value(), offset - sent.first,
                            client_.config().progress_timeout));
  co_return make_source(std::move(exchange).value(), sent.last + 1 - offset, length);
}

}  // namespace forebay::proxy
