#include <forebay/base/errc.hpp>
#include <forebay/base/metrics.hpp>
#include <forebay/http/conditional.hpp>
#include <forebay/http/date.hpp>
#include <forebay/http/header_rules.hpp>
#include <forebay/origin/object_lookup.hpp>
#include <forebay/runtime/waiter.hpp>

#include <algorithm>
#include <array>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

namespace forebay::origin {
namespace {

constexpr std::size_t kShards = 64;
/// Spacing between lookups of one object while the origin says SlowDown.
constexpr milliseconds kSpacingMin{10};
constexpr milliseconds kSpacingMax{250};
/// Lookups of one batch that may meet SlowDown before the readers send their own GETs.
constexpr int kSlowDownsMax = 4;
/// A reader waits for the lookup in flight, which it may not share, and for its own.
constexpr int kTurnsMax = 2;

constexpr int kOk = 200;
constexpr int kPartialContent = 206;
constexpr int kTooManyRequests = 429;
constexpr int kServiceUnavailable = 503;

/// Request fields that the origin's policy or answer may depend on. All else is left out of a
/// lookup, so that it can be shared.
bool matters(const http::Headers::Field& field) {
  const std::string name = http::to_lower(field.name);
  if (name == "user-agent" || name == "referer" || name == "x-forwarded-for")
    return true;
  return name.starts_with("x-amz-") && name != "x-amz-date" && name != "x-amz-content-sha256" &&
         name != "x-amz-security-token";
}

/// The caller's GET as a lookup: the same target, no conditionals, no range.
http::RequestHead lookup_request(const http::RequestHead& request) {
  http::RequestHead lookup;
  lookup.method = "HEAD";
  lookup.target = request.target;
  for (const auto& field : request.headers) {
    if (matters(field))
      lookup.headers.add(field.name, field.value);
  }
  return lookup;
}

/// All that makes two lookups the same: who asks, how, for what, and every field sent along.
std::string sharing_key(const Caller& caller, const http::RequestHead& lookup) {
  const s3::Authorization& auth = caller.authorization;
  std::string key = auth.access_key;
  const auto append = [&key](std::string_view part) {
    key.push_back('\0');
    key.append(part);
  };
  append(caller.key->origin_access_key);
  append(caller.key->origin_session_token);
  append(auth.session_token);
  append(std::to_string(static_cast<int>(auth.kind)));
  if (auth.kind != s3::Authorization::Kind::header) {
    append(std::to_string(auth.timestamp.time_since_epoch().count()));
    append(std::to_string(auth.expires.count()));
    append(auth.payload_hash);
    for (const std::string& name : auth.signed_headers)
      append(name);
  }
  append(lookup.target);
  for (const auto& field : lookup.headers) {
    append(http::to_lower(field.name));
    append(field.value);
  }
  return key;
}

bool is_kms(const http::Headers& headers) {
  return headers.value_or_empty("x-amz-server-side-encryption").starts_with("aws:kms");
}

}  // namespace

bool is_archived(const http::Headers& answer) {
  if (answer.contains("x-amz-archive-status"))
    return true;
  const std::string_view storage_class = answer.value_or_empty("x-amz-storage-class");
  return storage_class == "GLACIER" || storage_class == "DEEP_ARCHIVE";
}

bool needs_get(const http::Headers& answer) {
  return is_kms(answer) || is_archived(answer);
}

std::optional<Verdict> make_verdict(const http::ResponseHead& answer) {
  Verdict verdict;
  verdict.etag = answer.headers.value_or_empty("ETag");
  if (const auto strong = http::strong_etag(verdict.etag); strong)
    verdict.strong_etag = *strong;
  if (answer.status == kPartialContent) {
    const auto range = http::parse_content_range(answer.headers.value_or_empty("Content-Range"));
    if (!range)
      return std::nullopt;
    verdict.size = range.value().total;
    verdict.part = range.value().range;
  } else {
    const auto length = http::parse_content_length(answer.headers.value_or_empty("Content-Length"));
    if (!length)
      return std::nullopt;
    verdict.size = length.value();
  }
  verdict.version_id = answer.headers.value_or_empty("x-amz-version-id");
  if (const auto date = http::parse_date(answer.headers.value_or_empty("Last-Modified")); date)
    verdict.last_modified = date.value();
  verdict.headers = http::end_to_end(answer.headers);
  verdict.headers.remove("Content-Length");
  verdict.headers.remove("Content-Range");
  return verdict;
}

/// Readers who wait for one lookup that has not been sent yet (or is the one in flight).
struct ObjectLookup::Batch {
  CallerPtr caller;
  http::RequestHead lookup;
  std::vector<std::shared_ptr<runtime::Waiter>> waiters;
  std::optional<Result<VerdictPtr>> result;  ///< Written once, before the waiters are woken.
};

/// What goes on for one sharing key: a task that sends lookups as long as there is a next batch.
struct ObjectLookup::Flight {
  std::shared_ptr<Batch> next;
  milliseconds spacing{0};
};

struct ObjectLookup::Table {
  struct alignas(64) Shard {
    std::mutex mutex;
    std::unordered_map<std::string, Flight> flights;
  };
  std::array<Shard, kShards> shards;

  Shard& shard(const std::string& key) { return shards[std::hash<std::string>{}(key) % kShards]; }
};

ObjectLookup::ObjectLookup(Client& client) : client_{client}, table_{std::make_unique<Table>()} {}

ObjectLookup::~ObjectLookup() = default;

Task<Result<VerdictPtr>> ObjectLookup::ask(CallerPtr caller, const http::RequestHead& request) {
  static metrics::Counter& shared = metrics::Registry::instance().counter(
      "forebay_lookups_shared_total", "Reads that joined another read's lookup.");
  http::RequestHead lookup = lookup_request(request);
  std::string key = sharing_key(*caller, lookup);
  const std::shared_ptr<runtime::Waiter> waiter = runtime::Waiter::create();
  std::shared_ptr<Batch> batch;
  bool start = false;
  {
    Table::Shard& shard = table_->shard(key);
    const std::lock_guard lock{shard.mutex};
    const auto [it, is_new] = shard.flights.try_emplace(key);
    start = is_new;
    if (!it->second.next) {
      it->second.next = std::make_shared<Batch>();
      it->second.next->caller = std::move(caller);
      it->second.next->lookup = std::move(lookup);
    } else {
      shared.add();
    }
    batch = it->second.next;
    batch->waiters.push_back(waiter);
  }
  if (start)
    runtime::Worker::current().tasks().spawn("lookup", &ObjectLookup::fly, this, std::move(key));
  const bool answered =
      co_await waiter->wait(Deadline::after(kTurnsMax * client_.config().lookup_timeout));
  if (!answered)
    co_return Errc::timeout;
  co_return *batch->result;
}

/// Sends batch after batch until nobody waits any more.
Task<void> ObjectLookup::fly(ObjectLookup* self, std::string key) {
  Table::Shard& shard = self->table_->shard(key);
  for (;;) {
    std::shared_ptr<Batch> batch;
    milliseconds spacing{0};
    {
      const std::lock_guard lock{shard.mutex};
      const auto it = shard.flights.find(key);
      batch = std::exchange(it->second.next, nullptr);
      if (!batch) {
        shard.flights.erase(it);
        co_return;
      }
      spacing = it->second.spacing;
    }
    bool slow_down = false;
    const Deadline deadline = Deadline::after(self->client_.config().lookup_timeout);
    for (int attempt = 0;; ++attempt) {
      if (spacing.count() != 0)
        co_await runtime::sleep_until(Deadline::after(spacing));
      slow_down = false;
      batch->result = co_await self->send(*batch->caller, batch->lookup, deadline, slow_down);
      if (!slow_down)
        break;
      spacing = std::clamp(spacing * 2, kSpacingMin, kSpacingMax);
      if (attempt == kSlowDownsMax || deadline.expired())
        break;
    }
    std::vector<std::shared_ptr<runtime::Waiter>> waiters;
    {
      const std::lock_guard lock{shard.mutex};
      shard.flights.find(key)->second.spacing = slow_down ? spacing : spacing / 2;
      waiters.swap(batch->waiters);
    }
    for (const auto& waiter : waiters)
      waiter->wake();
  }
}

Task<Result<VerdictPtr>> ObjectLookup::send(const Caller& caller, const http::RequestHead& lookup,
                                            Deadline deadline, bool& slow_down) {
  http::ResponseHead answer;
  auto exchange =
      co_await ask_as(caller, client_, SignBy::caller, lookup, Reason::lookup, deadline, answer);
  if (!exchange)
    co_return exchange.error();
  slow_down = answer.status == kServiceUnavailable || answer.status == kTooManyRequests;
  if (answer.status != kOk && answer.status != kPartialContent)
    co_return Errc::refused;
  if (needs_get(answer.headers)) {
    // A part cannot be asked for together with a range: its reader's own GET decides.
    if (answer.status == kPartialContent)
      co_return Errc::refused;
    co_return co_await send_get(caller, lookup, deadline, slow_down);
  }
  std::optional<Verdict> verdict = make_verdict(answer);
  if (!verdict)
    co_return Errc::refused;
  co_return std::make_shared<const Verdict>(*std::move(verdict));
}

/// The verdict of a GET of one byte, where a HEAD proves nothing.
Task<Result<VerdictPtr>> ObjectLookup::send_get(const Caller& caller, http::RequestHead lookup,
                                                Deadline deadline, bool& slow_down) {
  lookup.method = "GET";
  lookup.headers.set("Range", "bytes=0-0");
  http::ResponseHead answer;
  auto exchange = co_await ask_as(caller, client_, SignBy::caller, std::move(lookup),
                                  Reason::lookup, deadline, answer);
  if (!exchange)
    co_return exchange.error();
  slow_down = answer.status == kServiceUnavailable || answer.status == kTooManyRequests;
  if (answer.status != kPartialContent)
    co_return Errc::refused;
  // Read to its end, so that the connection can be used again.
  std::array<std::byte, 16> body;
  auto got = co_await exchange.value()->read_body(body, deadline);
  while (got && got.value() != 0)
    got = co_await exchange.value()->read_body(body, deadline);
  std::optional<Verdict> verdict = make_verdict(answer);
  if (!verdict)
    co_return Errc::refused;
  verdict->part.reset();
  co_return std::make_shared<const Verdict>(*std::move(verdict));
}

}  // namespace forebay::origin
