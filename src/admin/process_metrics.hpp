#pragma once
// What Prometheus' client libraries say of every process, and which build this is.
#include <forebay/base/metrics.hpp>

#include <string>
#include <vector>

namespace forebay::admin {

/// Opens what process_series() reads, and keeps it open: the metrics of a process that is out of
/// descriptors say so. Any thread, any number of times.
void open_process_files();

/// forebay_build_info and the process_ metrics, ordered by name; read from /proc when asked. A
/// value that cannot be read is NaN.
std::vector<metrics::Series> process_series(const std::string& version);

}  // namespace forebay::admin
