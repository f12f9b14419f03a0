#pragma once
// The only place that spawns coroutines: every task has a name, a worker and a scope that waits for
// it.
#include <forebay/base/assert.hpp>
#include <forebay/runtime/task.hpp>

#include <cstddef>
#include <exception>
#include <string_view>
#include <type_traits>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

namespace forebay::runtime {

/// The running tasks of one worker. Touched only on the worker's thread. The destructor asserts
/// that none is left: a worker runs its io_context until empty() before it goes.
class TaskScope {
 public:
  explicit TaskScope(boost::asio::io_context& context) : context_{context} {}
  TaskScope(const TaskScope&) = delete;
  TaskScope& operator=(const TaskScope&) = delete;
  ~TaskScope() { ASSERT(running_ == 0); }

  /// Starts `function(args...)`, a free or static coroutine function that takes everything by
  /// value, at the loop's next turn: never inside this call, which may hold a lock. `name` must be
  /// a literal. An exception that leaves the task is logged under that name: it is a defect or
  /// memory exhaustion.
  template <class Function, class... Args>
  void spawn(const char* name, Function function, Args... args) {
    static_assert(std::is_pointer_v<Function>, "spawn free or static functions only");
    static_assert(std::is_same_v<std::invoke_result_t<Function, Args...>, Task<void>>);
    static_assert((!std::is_same_v<Args, std::string_view> && ...),
                  "a view would outlive its owner");
    ++running_;
    boost::asio::post(context_, [this, name, task = function(std::move(args)...)]() mutable {
      boost::asio::co_spawn(
          context_, std::move(task),
          [this, name](const std::exception_ptr& failure) { finished(name, failure); });
    });
  }

  std::size_t running() const { return running_; }
  bool empty() const { return running_ == 0; }

 private:
  void finished(const char* name, const std::exception_ptr& failure);

  boost::asio::io_context& context_;
  std::size_t running_ = 0;
};

}  // namespace forebay::runtime
