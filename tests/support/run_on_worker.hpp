#pragma once
// Runs a coroutine on a worker from a test's thread and waits for it.
#include <forebay/runtime/worker.hpp>

#include <functional>

namespace forebay::test {

/// Everything the task throws, GoogleTest's fatal failures included, comes out here.
void run_on_worker(runtime::WorkerPool& pool, std::function<Task<void>()> body,
                   std::size_t index = 0);

}  // namespace forebay::test
