#pragma once
// What /status.json shows.
#include <forebay/cache/block_cache.hpp>
#include <forebay/io/buffer_pool.hpp>
#include <forebay/runtime/worker.hpp>

#include <string>
#include <string_view>

namespace forebay::app {

/// The parts that are looked at; each may be read on any thread.
struct StatusSources {
  bool ready;
  Clock::duration uptime;
  std::string_view engine;
  runtime::WorkerPool& workers;
  const io::BufferPool& pool;
  cache::BlockCache& cache;
};

/// A JSON object: node, workers, memory, devices.
std::string status_json(const StatusSources& sources);

}  // namespace forebay::app
