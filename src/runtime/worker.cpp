#include <forebay/runtime/worker.hpp>

#include <algorithm>
#include <latch>

#include <boost/asio/executor_work_guard.hpp>
#include <sched.h>

namespace forebay::runtime {
namespace {

constexpr milliseconds kHeartbeatInterval{500};

thread_local Worker* current_worker = nullptr;

std::size_t usable_cpus() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    return std::max<std::size_t>(1, static_cast<std::size_t>(CPU_COUNT(&set)));
  return std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace

Worker::Worker(std::size_t index) : index_{index} {}

Worker* Worker::current_or_null() {
  return current_worker;
}

Worker& Worker::current() {
  ASSERT(current_worker != nullptr);
  return *current_worker;
}

TimePoint Worker::last_heartbeat() const {
  return TimePoint{Clock::duration{heartbeat_.load()}};
}

void Worker::beat() {
  heartbeat_.store(Clock::now().time_since_epoch().count());
  heartbeat_timer_.expires_after(kHeartbeatInterval);
  heartbeat_timer_.async_wait([this](boost::system::error_code ec) {
    if (!ec)
      beat();
  });
}

void Worker::run() {
  current_worker = this;
  const auto work = boost::asio::make_work_guard(context_);
  beat();
  context_.run();
  current_worker = nullptr;
}

WorkerPool::WorkerPool(const Config& config) {
  const std::size_t count = config.workers != 0 ? config.workers : usable_cpus();
  for (std::size_t i = 0; i < count; ++i)
    workers_.push_back(std::make_unique<Worker>(i));
  for (const auto& worker : workers_)
    threads_.emplace_back([w = worker.get()] { w->run(); });
}

WorkerPool::~WorkerPool() {
  stop();
}

Worker& WorkerPool::least_loaded() {
  const auto fewer = [](const auto& a, const auto& b) {
    return a->connections.load(std::memory_order_relaxed) <
           b->connections.load(std::memory_order_relaxed);
  };
  return **std::min_element(workers_.begin(), workers_.end(), fewer);
}

void WorkerPool::run_on_each(const std::function<void(Worker&)>& function) {
  std::latch done{static_cast<std::ptrdiff_t>(workers_.size())};
  for (const auto& worker : workers_) {
    boost::asio::post(worker->context(), [w = worker.get(), &function, &done] {
      function(*w);
      done.count_down();
    });
  }
  done.wait();
}

bool WorkerPool::drain(Deadline deadline) {
  constexpr milliseconds kPoll{10};
  for (;;) {
    std::atomic<std::size_t> running{0};
    run_on_each([&running](Worker& worker) { running += worker.tasks().running(); });
    if (running == 0)
      return true;
    if (deadline.expired())
      return false;
    std::this_thread::sleep_for(kPoll);
  }
}

void WorkerPool::stop() {
  for (const auto& worker : workers_)
    worker->context().stop();
  for (std::thread& thread : threads_)
    thread.join();
  threads_.clear();
}

}  // namespace forebay::runtime
