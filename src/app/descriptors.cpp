#include "app/descriptors.hpp"

#include <forebay/base/log.hpp>

#include <algorithm>

#include <sys/resource.h>

namespace forebay::app {
namespace {

/// Devices, rings, epoll, logs, files that are read again.
constexpr rlim_t kOtherDescriptors = 256;

}  // namespace

void share_descriptors(config::Config& config) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t others =
      config.admin.max_connections + config.origin.max_connections + kOtherDescriptors;
  const rlim_t needed = config.s3.max_connections + others;
  config.s3.spare_descriptors = std::min(limit.rlim_max / 2, others);
  if (limit.rlim_max < needed)
    log::get("app").warn(
        "the limit of open files is {}, all connections would need {}: clients wait while fewer "
        "than {} are left",
        limit.rlim_max, needed, config.s3.spare_descriptors);
}

}  // namespace forebay::app
