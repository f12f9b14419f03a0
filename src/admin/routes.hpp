#pragma once
// Which request gets which answer.
#include <forebay/admin/server.hpp>
#include <forebay/http/message.hpp>

#include <string>
#include <string_view>

namespace forebay::admin {

struct Answer {
  int status = 200;
  std::string content_type;
  std::string body;
};

Answer json_error(int status, std::string_view message);

/// The index of a worker whose event loop has not turned for a while at `now`, or the pool's size.
std::size_t stalled_worker(runtime::WorkerPool& pool, TimePoint now);

/// `head` passed check_request. The references must stay until the answer is there.
Task<Answer> answer_request(const http::RequestHead& head, const AdminHooks& hooks,
                            runtime::WorkerPool& pool);

}  // namespace forebay::admin
