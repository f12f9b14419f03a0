#include "support/run_on_worker.hpp"

#include <exception>
#include <future>
#include <memory>
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
  done.get();
}

}  // namespace forebay::test
