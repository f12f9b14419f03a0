#include "proxy/read_metrics.hpp"

namespace forebay::proxy {
namespace {

metrics::Counter& bytes(const char* source) {
  return metrics::Registry::instance().counter(
      "forebay_read_bytes_total", "Object bytes sent to clients, by where they came from.",
      {{"source", source}});
}

metrics::Counter& reads(const char* status) {
  return metrics::Registry::instance().counter(
      "forebay_cache_requests_total", "GetObject requests, by cache status.", {{"status", status}});
}

metrics::Counter& cut(const char* reason) {
  return metrics::Registry::instance().counter(
      "forebay_reads_cut_total", "GetObject answers cut because the rest could not be had.",
      {{"reason", reason}});
}

}  // namespace

ReadMetrics& ReadMetrics::get() {
  static ReadMetrics instance{
      .cached = bytes("cache"),
      .filled = bytes("fill"),
      .direct = bytes("direct"),
      .hit = reads("hit"),
      .miss = reads("miss"),
      .partial = reads("partial"),
      .bypass = reads("bypass"),
      .overwritten = cut("overwritten"),
      .failed = cut("failed"),
  };
  return instance;
}

}  // namespace forebay::proxy
