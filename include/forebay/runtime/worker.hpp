#pragma once
// Workers: one thread, one io_context, one task scope each. State belongs to one worker; what
// crosses is posted.
#include <forebay/runtime/task_scope.hpp>
#include <forebay/runtime/watchdog.hpp>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>

namespace forebay::runtime {

struct Config {
  std::size_t workers = 0;             ///< 0: one per CPU this process may run on.
  milliseconds drain_timeout{30'000};  ///< For exchanges in progress when the daemon is to stop.
};

class Worker {
 public:
  explicit Worker(std::size_t index);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// The worker whose thread this is; asserts that there is one.
  static Worker& current();
  /// The same, or nullptr on a thread that is no worker's.
  static Worker* current_or_null();

  std::size_t index() const { return index_; }
  boost::asio::io_context& context() { return context_; }
  TaskScope& tasks() { return tasks_; }       ///< This worker's thread only.
  Watchdog& watchdog() { return watchdog_; }  ///< This worker's thread only.

  /// Connections this worker serves now: what the listener balances by. Any thread.
  std::atomic<std::size_t> connections{0};

  /// When the event loop last turned: the health check's heartbeat. Any thread.
  TimePoint last_heartbeat() const;

 private:
  friend class WorkerPool;
  void run();
  void beat();

  std::size_t index_;
  boost::asio::io_context context_{1};
  TaskScope tasks_{context_};
  Watchdog watchdog_{context_};
  boost::asio::steady_timer heartbeat_timer_{context_};
  std::atomic<Clock::rep> heartbeat_{0};
};

/// Starts and stops the workers. Owned by the daemon (and by tests).
class WorkerPool {
 public:
  explicit WorkerPool(const Config& config);
  ~WorkerPool();

  std::size_t size() const { return workers_.size(); }
  Worker& worker(std::size_t index) { return *workers_[index]; }
  Worker& least_loaded();

  /// Runs `function` on every worker's thread and waits for all. Not from a worker's thread.
  void run_on_each(const std::function<void(Worker&)>& function);
  /// Starts one task on a worker from outside the workers.
  template <class Function, class... Args>
  void spawn_on(std::size_t index, const char* name, Function function, Args... args);

  /// Waits until every worker's tasks have ended, or the deadline passes; true when all ended. Not
  /// from a worker's thread.
  bool drain(Deadline deadline);
  /// Ends the threads. Tasks that are still there are destroyed unfinished.
  void stop();

 private:
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::thread> threads_;
};

}  // namespace forebay::runtime

#include <boost/asio/post.hpp>

template <class Function, class... Args>
void forebay::runtime::WorkerPool::spawn_on(std::size_t index, const char* name, Function function,
                                            Args... args) {
  Worker& target = worker(index);
  boost::asio::post(target.context(),
                    [&target, name, function, ... held = std::move(args)]() mutable {
                      target.tasks().spawn(name, function, std::move(held)...);
                    });
}
