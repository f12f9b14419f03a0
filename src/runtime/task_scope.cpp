#include <forebay/base/log.hpp>
#include <forebay/runtime/task_scope.hpp>

namespace forebay::runtime {

void TaskScope::finished(const char* name, const std::exception_ptr& failure) {
  --running_;
  if (!failure)
    return;
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& e) {
    log::get("runtime").error("task {} ended by an exception: {}", name, e.what());
  } catch (...) {
    log::get("runtime").error("task {} ended by an unknown exception", name);
  }
}

}  // namespace forebay::runtime
