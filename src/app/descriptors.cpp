#include "app/descriptors.hpp"

#include <forebay/base/log.hpp>

#include <algorithm>

#include <sys/resource.h>

namespace forebay::app {
namespace {

/// Devices, rings, epoll, logs, files that are read again.
constexpr std::uint64_t kOtherDescriptors = 256;

}  // namespace

std::size_t clients_that_fit(const config::Config& config, std::uint64_t limit) {
  const std::uint64_t others =
      config.admin.max_connections + config.origin.max_connections + kOtherDescriptors;
  const std::uint64_t left = limit - std::min(limit / 2, others);
  return std::min<std::size_t>(config.s3.max_connections, left);
}

void share_descriptors(config::Config& config) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  const std::size_t fit = clients_that_fit(config, limit.rlim_max);
  if (fit < config.s3.max_connections)
    log::get("app").warn("the limit of open files is {}: {} clients at once, not {}",
                         limit.rlim_max, fit, config.s3.max_connections);
  config.s3.max_connections = fit;
}

}  // namespace forebay::app
