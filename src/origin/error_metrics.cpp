#include "origin/error_metrics.hpp"

#include <forebay/base/errc.hpp>
#include <forebay/base/metrics.hpp>

#include <array>
#include <cstddef>

namespace forebay::origin {
namespace {

metrics::Counter& counter(const char* kind) {
  return metrics::Registry::instance().counter("forebay_origin_errors_total",
                                               "Requests that failed at the origin, by how.",
                                               {{"kind", kind}});
}

}  // namespace

void count_error(ErrorKind kind) {
  // In the order of the enumeration.
  static const std::array<metrics::Counter*, 5> counters{
      &counter("connect"), &counter("timeout"), &counter("protocol"), &counter("truncated"),
      &counter("overloaded")};
  counters[static_cast<std::size_t>(kind)]->add();
}

void count_error(const Error& error) {
  if (error == Errc::timeout)
    count_error(ErrorKind::timeout);
  else if (error == Errc::protocol || error == Errc::too_large)
    count_error(ErrorKind::protocol);
  else if (error == Errc::truncated || error == Errc::closed)
    count_error(ErrorKind::truncated);
}

}  // namespace forebay::origin
