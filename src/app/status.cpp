#include "app/status.hpp"

#include "app/version.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace forebay::app {
namespace {

namespace json = boost::json;

json::array workers_json(runtime::WorkerPool& workers) {
  json::array all;
  for (std::size_t i = 0; i < workers.size(); ++i)
    all.push_back(json::object{{"connections", workers.worker(i).connections.load()}});
  return all;
}

json::object pool_json(const io::BufferPool& pool) {
  const auto share = [&pool](io::Share which) {
    return json::object{{"used", pool.share_used(which)}, {"limit", pool.share_limit(which)}};
  };
  return {{"page_size", io::kPageSize},
          {"pages", pool.frame_count()},
          {"free", pool.free_count()},
          {"fill", share(io::Share::fill)},
          {"disk_read", share(io::Share::disk_read)},
          {"slot_write", share(io::Share::slot_write)},
          {"speculation", share(io::Share::speculation)}};
}

json::array devices_json(cache::DiskStore* disk) {
  json::array all;
  if (disk == nullptr)
    return all;
  for (const cache::DiskStore::Status& device : disk->status())
    all.push_back(json::object{{"path", device.path},
                               {"slots", device.slots},
                               {"used", device.used},
                               {"scanned", device.scanned},
                               {"readable", device.readable},
                               {"writable", device.writable}});
  return all;
}

}  // namespace

std::string status_json(const StatusSources& sources) {
  const auto uptime = std::chrono::duration_cast<std::chrono::seconds>(sources.uptime);
  return json::serialize(json::object{{"version", version()},
                                      {"ready", sources.ready},
                                      {"uptime_seconds", uptime.count()},
                                      {"engine", sources.engine},
                                      {"workers", workers_json(sources.workers)},
                                      {"memory", pool_json(sources.pool)},
                                      {"devices", devices_json(sources.cache.disk())}});
}

}  // namespace forebay::app
