#pragma once
// Which request gets which answer.
#include "admin/answer.hpp"
#include "admin/gate.hpp"

#include <forebay/admin/server.hpp>
#include <forebay/http/message.hpp>

namespace forebay::admin {

/// The index of a worker whose event loop has not turned for a while at `now`, or the pool's size.
std::size_t stalled_worker(runtime::WorkerPool& pool, TimePoint now);

/// `head` passed check_request. The references must stay until the answer is there.
Task<Answer> answer_request(const http::RequestHead& head, const AdminHooks& hooks,
                            const Gate& gate, runtime::WorkerPool& pool);

}  // namespace forebay::admin
