#include "admin/routes.hpp"

#include "admin/metrics_text.hpp"
#include "admin/process_metrics.hpp"
#include "admin/status_page.hpp"

#include <forebay/http/uri.hpp>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

namespace forebay::admin {
namespace {

/// Ten beats of a worker (every half second): longer than any honest task keeps the loop.
constexpr std::chrono::seconds kStalledAfter{5};

Answer plain(int status, std::string text) {
  return {.status = status, .content_type = "text/plain; charset=utf-8", .body = std::move(text)};
}

Answer metrics_answer(const AdminHooks& hooks) {
  auto counted = metrics::Registry::instance().snapshot();
  auto process = process_series(hooks.version);
  std::vector<metrics::Series> series;
  std::merge(std::move_iterator{counted.begin()}, std::move_iterator{counted.end()},
             std::move_iterator{process.begin()}, std::move_iterator{process.end()},
             std::back_inserter(series),
             [](const auto& a, const auto& b) { return a.name < b.name; });
  return {.content_type = "text/plain; version=0.0.4; charset=utf-8", .body = metrics_text(series)};
}

Answer health_answer(runtime::WorkerPool& pool) {
  const std::size_t stalled = stalled_worker(pool, Clock::now());
  if (stalled != pool.size())
    return plain(503, fmt::format("worker {} is stalled\n", stalled));
  return plain(200, "ok\n");
}

Answer ready_answer(const AdminHooks& hooks) {
  const bool ready = !hooks.ready || hooks.ready();
  return ready ? plain(200, "ready\n") : plain(503, "not ready\n");
}

/// The answer to GET and HEAD, or nullopt where there is nothing at `path`.
std::optional<Answer> look(std::string_view path, const AdminHooks& hooks,
                           runtime::WorkerPool& pool) {
  if (path == "/metrics")
    return metrics_answer(hooks);
  if (path == "/healthz")
    return health_answer(pool);
  if (path == "/readyz")
    return ready_answer(hooks);
  if (path == "/status.json" && hooks.status_json)
    return Answer{.content_type = std::string{kJson}, .body = hooks.status_json()};
  if ((path == "/" || path == "/status") && hooks.status_json)
    return Answer{.content_type = "text/html; charset=utf-8",
                  .body = status_page(hooks.version, hooks.status_json())};
  return std::nullopt;
}

std::string purge_json(const PurgeOutcome& outcome) {
  boost::json::object answer{{"purged", outcome.purged}};
  boost::json::array unreached;
  for (const auto& [device, blocks] : outcome.unreached)
    unreached.push_back(boost::json::object{{"device", device}, {"blocks", blocks}});
  if (!unreached.empty())
    answer["unreached"] = std::move(unreached);
  return boost::json::serialize(answer) + "\n";
}

Task<Answer> purge(std::string_view query_text, const AdminHooks& hooks) {
  const auto query = http::parse_query(query_text);
  if (!query)
    co_return json_error(400, "the query is not percent-encoded correctly");
  const auto* bucket = http::find(query.value(), "bucket");
  const auto* prefix = http::find(query.value(), "prefix");
  if (bucket == nullptr || bucket->value.empty())
    co_return json_error(400, "purge needs a bucket: /purge?bucket=B&prefix=P");
  // A mistyped prefix must not purge the whole bucket.
  const auto known = [](const auto& p) { return p.name == "bucket" || p.name == "prefix"; };
  const bool all_known = std::all_of(query.value().begin(), query.value().end(), known);
  if (!all_known || query.value().size() > 2)
    co_return json_error(400, "purge knows bucket and prefix, once each");
  std::string bucket_name = bucket->value;
  std::string key_prefix = prefix != nullptr ? prefix->value : std::string{};
  const auto purged = co_await hooks.purge(std::move(bucket_name), std::move(key_prefix));
  if (!purged)
    co_return json_error(500, "purge failed: " + purged.error().message());
  co_return Answer{.content_type = std::string{kJson}, .body = purge_json(purged.value())};
}

}  // namespace

std::size_t stalled_worker(runtime::WorkerPool& pool, TimePoint now) {
  std::size_t index = 0;
  while (index < pool.size() && now - pool.worker(index).last_heartbeat() <= kStalledAfter)
    ++index;
  return index;
}

Task<Answer> answer_request(const http::RequestHead& head, const AdminHooks& hooks,
                            const Gate& gate, runtime::WorkerPool& pool) {
  const http::Target target = http::split_target(head.target);
  if (target.path == "/purge" && hooks.purge) {
    if (head.method != "POST")
      co_return json_error(405, "purge is a POST");
    if (auto refusal = gate.refusal(head))
      co_return *std::move(refusal);
    co_return co_await purge(target.query.value_or(""), hooks);
  }
  auto found = look(target.path, hooks, pool);
  if (!found)
    co_return json_error(404, "there is nothing here");
  if (head.method != "GET" && head.method != "HEAD")
    co_return json_error(405, "this can only be read");
  co_return std::move(*found);
}

}  // namespace forebay::admin
