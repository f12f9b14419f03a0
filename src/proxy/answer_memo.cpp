#include "proxy/answer_memo.hpp"

#include <forebay/http/date.hpp>
#include <forebay/http/header_rules.hpp>
#include <forebay/http/uri.hpp>
#include <forebay/s3/sha256.hpp>
#include <forebay/s3/sigv4.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace forebay::proxy {
namespace {

/// Last-Modified counts seconds: only what was sent later than that second can tell its state from
/// a change within it (RFC 9110 section 8.8.2.2).
constexpr std::chrono::seconds kCertain{2};

/// Larger heads are not remembered: the memory of all must be bounded in bytes.
constexpr std::size_t kHeadMax = 4 * KiB;

std::size_t size_of(const http::Headers& headers) {
  std::size_t size = 0;
  for (const auto& field : headers)
    size += field.name.size() + field.value.size() + sizeof(http::Headers::Field);
  return size;
}

/// x-amz-date and the like differ in every request and change nothing in the answer.
bool decides(std::string_view lower_name) {
  return lower_name == "range" ||
         (lower_name.starts_with("x-amz-") && lower_name != "x-amz-date" &&
          lower_name != "x-amz-content-sha256" && lower_name != "x-amz-user-agent");
}

}  // namespace

void AnswerMemo::note(const std::string& name, const http::ResponseHead& answer,
                      const origin::Verdict& verdict) {
  const auto sent = http::parse_date(answer.headers.value_or_empty("Date"));
  const bool certain =
      verdict.last_modified && sent && sent.value() >= *verdict.last_modified + kCertain;
  const std::lock_guard lock{mutex_};
  const auto known = entries_.find(name);
  if (known != entries_.end()) {
    order_.erase(known->second.place);
    entries_.erase(known);
  }
  if (!certain || size_of(verdict.headers) > kHeadMax)
    return;
  order_.push_front(name);
  auto kept = std::make_shared<origin::Verdict>(verdict);
  http::renew_fields(kept->headers, {});
  entries_[name] = {std::move(kept), order_.begin()};
  if (entries_.size() > kEntriesMax) {
    entries_.erase(order_.back());
    order_.pop_back();
  }
}

origin::VerdictPtr AnswerMemo::find(const std::string& name,
                                    const http::ResponseHead& not_modified) {
  const auto modified = http::parse_date(not_modified.headers.value_or_empty("Last-Modified"));
  can_prove_.store(modified.has_value(), std::memory_order_relaxed);
  if (!modified)
    return nullptr;
  const std::lock_guard lock{mutex_};
  const auto known = entries_.find(name);
  if (known == entries_.end() || known->second.verdict->last_modified != modified.value())
    return nullptr;
  return known->second.verdict;
}

std::string answer_name(const http::RequestHead& request, std::string_view access_key) {
  const auto target = http::split_target(request.target);
  auto query = http::parse_query(target.query.value_or(""));
  http::Query rest = query ? std::move(query).value() : http::Query{};
  std::string name{access_key};
  const auto append = [&name](std::string_view part) {
    name.push_back('\0');
    name.append(part);
  };
  append(request.headers.value_or_empty("Host"));
  append(target.path);
  std::erase_if(rest, [](const auto& each) {
    return s3::is_auth_parameter(each.name) || each.name == "x-id";
  });
  append(http::format_query(rest));
  for (const auto& field : request.headers) {
    const std::string lower = http::to_lower(field.name);
    if (decides(lower)) {
      append(lower);
      append(field.value);
    }
  }
  return s3::sha256_hex(name);
}

}  // namespace forebay::proxy
