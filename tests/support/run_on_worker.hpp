#pragma once
// Runs a coroutine on a worker from a test's thread and waits for it.
#include <forebay/runtime/worker.hpp>

#include <exception>
#include <functional>
#include <future>
#include <memory>

namespace forebay::test {

/// Everything the task throws, GoogleTest's fatal failures included, comes out here.
inline void run_on_worker(runtime::WorkerPool& pool, std::function<Task<void>()> body,
                          std::size_t index = 0) {
  struct State {
    std::function<Task<void>()> body;
    std::promise<void> done;
  };
  auto state = std::make_shared<State>();
  state->body = std::move(body);
  std::future<void> done = state->done.get_future();
  constexpr auto run = +[](std::shared_ptr<State> self) -> Task<void> {
    try {
      co_await self->body();
      self->done.set_value();
    } catch (...) {
      self->done.set_exception(std::current_exception());
    }
  };
  pool.spawn_on(index, "test", run, state);
  done.get();
}

}  // namespace forebay::test
