#include "support/run_on_worker.hpp"

#include <exception>
#include <future>
#include <memory>
#include <stdexcept>
#include <utility>

namespace forebay::test {
namespace {

struct State {
  std::function<Task<void>()> body;
  std::promise<void> done;
};

Task<void> run(std::shared_ptr<State> state) {
  try {
    co_await state->body();
    state->done.set_value();
  } catch (...) {
    state->done.set_exception(std::current_exception());
  }
}

}  // namespace

void run_on_worker(runtime::WorkerPool& pool, std::function<Task<void>()> body, std::size_t index) {
  auto state = std::make_shared<State>();
  state->body = std::move(body);
  std::future<void> done = state->done.get_future();
  pool.spawn_on(index, "test", &run, state);
  done.wait();
  // The promise is kept a moment before the task has ended, and with it what it spawned.
  const bool drained = pool.drain(Deadline::after(std::chrono::seconds{60}));
  done.get();
  if (!drained)
    throw std::runtime_error{"tasks that the test started did not end"};
}

}  // namespace forebay::test
