#pragma once
// The fields of the last answer that each caller got for each object: where the origin says "not
// modified" in a way that proves them unchanged, they are the answer's fields. Only for requests
// that are passed on.
#include <forebay/http/message.hpp>
#include <forebay/origin/object_lookup.hpp>

#include <atomic>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace forebay::proxy {

/// Bounded in entries and in the bytes of each; the least recently noted is forgotten. Any thread.
class AnswerMemo {
 public:
  /// Notes a 200 or 206 that `answer` was, whose verdict is `verdict`. Kept only where a later
  /// Last-Modified would differ from its own: where it was sent two seconds or more after it.
  void note(const std::string& name, const http::ResponseHead& answer,
            const origin::Verdict& verdict);

  /// The noted verdict, without the fields that were that answer's own, where `not_modified` (a
  /// 304) proves that it still holds; null otherwise.
  origin::VerdictPtr find(const std::string& name, const http::ResponseHead& not_modified);
  /// Whether this origin's last 304 said when the object was modified; without that none proves
  /// anything.
  bool can_prove() const { return can_prove_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::size_t kEntriesMax = 16'384;

  struct Entry {
    origin::VerdictPtr verdict;
    std::list<std::string>::iterator place;
  };

  std::atomic<bool> can_prove_{true};
  std::mutex mutex_;
  std::list<std::string> order_;  ///< Most recently noted first. Guarded by mutex_.
  std::unordered_map<std::string, Entry> entries_;  ///< Guarded by mutex_.
};

/// What tells one memory from another (a hash, so that it is small): who asks (as the request says,
/// not empty), for what, and every field that the answer may depend on. `request` is as the client
/// sent it.
std::string answer_name(const http::RequestHead& request, std::string_view access_key);

}  // namespace forebay::proxy
