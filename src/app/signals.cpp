#include "app/signals.hpp"

#include <forebay/base/assert.hpp>

#include <ctime>

namespace forebay::app {

Signals::Signals() {
  sigemptyset(&stopping_);
  sigaddset(&stopping_, SIGTERM);
  sigaddset(&stopping_, SIGINT);
  ASSERT(pthread_sigmask(SIG_BLOCK, &stopping_, nullptr) == 0);
  std::signal(SIGPIPE, SIG_IGN);
}

int Signals::wait(milliseconds timeout) const {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout);
  timespec left{};
  left.tv_sec = seconds.count();
  left.tv_nsec = std::chrono::nanoseconds{timeout - seconds}.count();
  const int number = sigtimedwait(&stopping_, nullptr, &left);
  return number > 0 ? number : 0;
}

}  // namespace forebay::app
