#include "config/schema.hpp"

#include "config/access.hpp"
#include "config/fill_credentials_schema.hpp"

#include <iterator>

namespace forebay::config {
namespace {

constexpr double kMinute = 60'000;
constexpr double kHour = 60 * kMinute;
constexpr double kDay = 24 * kHour;
constexpr Bounds kTimeout{.min = 10, .max = kHour};
constexpr Bounds kNotEmpty{.min = 1};

constexpr double bytes(std::uint64_t count) {
  return static_cast<double>(count);
}

using net::ListenConfig;
using origin::OriginConfig;
using proxy::PrestageConfig;
using proxy::ProxyConfig;

constexpr Section kSections[] = {
    {"listen", "Where clients and operators connect, and what a connection may cost."},
    {"origin", "The S3 service behind Forebay."},
    {"auth", "Who may read and write."},
    {"cache", "What is kept, and on which devices."},
    {"memory", "The pool of page frames: fills and disk reads land there, hot blocks stay there."},
    {"io", "How the devices are read and written."},
    {"prestage", "HeadObject as a hint to fill an object before it is read."},
    {"limits", "Bounds past which a request waits a little and is then told 503 SlowDown."},
    {"runtime", "Threads, and the end."},
    {"log", "What is written to standard error."},
};

std::vector<Key> listen_keys() {
  return {
      {.name = "listen.s3",
       .type = Type::host_port,
       .help = "Where S3 clients connect. Port 0 takes any free one.",
       .access = field<&Config::s3, &ListenConfig::address>()},
      {.name = "listen.admin",
       .type = Type::host_port,
       .help = "Metrics, health and purge. Reading asks for no credentials: keep it where only "
               "operators reach it. Purging is refused where it is not bound to loopback and "
               "listen.admin_token_file is empty.",
       .access = field<&Config::admin, &admin::AdminConfig::address>()},
      {.name = "listen.admin_token_file",
       .type = Type::path,
       .help = "A token of 16 to 4096 characters, which purging then needs, on loopback too "
               "(Authorization: Bearer). Refused when world-readable or group-writable. An invalid "
               "new version keeps the old token.",
       .access = field<&Config::admin, &admin::AdminConfig::token_file>(),
       .reload = true},
      {.name = "listen.domains",
       .type = Type::text_list,
       .help = "Names under which buckets are addressed as hosts (bucket.name). In auth.mode "
               "passthrough the origin's own, where clients sign those.",
       .access = field<&Config::proxy, &ProxyConfig::domains>(),
       .example = "[s3.forebay.internal]"},
      {.name = "listen.trusted_proxies",
       .type = Type::text_list,
       .help =
           "Networks of the proxies between clients and this node. With origin.forwarded_for set "
           "the client is the last address in X-Forwarded-For that is in none of them.",
       .access = field<&Config::s3, &ListenConfig::trusted_proxies>(),
       .example = "[10.0.0.0/8]"},
      {.name = "listen.path_style",
       .type = Type::enumeration,
       .help = "Buckets as the first segment of the path. reject: 400 PathStyleRequestNotAllowed.",
       .access = field<&Config::proxy, &ProxyConfig::path_style>(),
       .choices = names_of<proxy::PathStyle>()},
      {.name = "listen.tls_certificate",
       .type = Type::path,
       .help = "PEM chain, leaf first. Empty: listen.s3 speaks plain HTTP.",
       .access = field<&Config::s3, &ListenConfig::certificate_file>()},
      {.name = "listen.tls_private_key",
       .type = Type::path,
       .help = "PEM, the key of listen.tls_certificate.",
       .access = field<&Config::s3, &ListenConfig::key_file>()},
  };
}

std::vector<Key> connection_keys() {
  return {
      {.name = "listen.max_connections",
       .type = Type::integer,
       .help = "Clients at once; beyond it newcomers wait in the kernel's queue.",
       .access = field<&Config::s3, &ListenConfig::max_connections>(),
       .bounds = {1, 1'000'000}},
      {.name = "listen.max_header_size",
       .type = Type::size,
       .help = "Request line and header fields of one request; beyond it 400.",
       .access = field<&Config::s3, &ListenConfig::max_header_size>(),
       .bounds = {bytes(4 * KiB), bytes(1 * MiB)}},
      {.name = "listen.header_timeout",
       .type = Type::duration,
       .help = "From the first byte of a request's head to its last; also the TLS handshake.",
       .access = field<&Config::s3, &ListenConfig::header_timeout>(),
       .bounds = kTimeout},
      {.name = "listen.idle_timeout",
       .type = Type::duration,
       .help = "Between two requests of one connection.",
       .access = field<&Config::s3, &ListenConfig::idle_timeout>(),
       .bounds = {10, kDay}},
      {.name = "listen.send_timeout",
       .type = Type::duration,
       .help = "Without progress toward a client, before it is cut off.",
       .access = field<&Config::proxy, &ProxyConfig::send_timeout>(),
       .bounds = kTimeout},
      {.name = "listen.receive_timeout",
       .type = Type::duration,
       .help = "Without progress from a client within a body, before it is cut off.",
       .access = field<&Config::proxy, &ProxyConfig::receive_timeout>(),
       .bounds = kTimeout},
      {.name = "listen.min_upload_rate",
       .type = Type::size,
       .help =
           "What a client must send of a body in a second, once listen.upload_grace has passed; "
           "slower ones are told 400 RequestTimeout. 0: any pace is fast enough.",
       .access = field<&Config::proxy, &ProxyConfig::min_upload_rate>(),
       .bounds = {0, bytes(1 * GiB)}},
      {.name = "listen.upload_grace",
       .type = Type::duration,
       .help = "How long a client may be silent within a body, or fall behind "
               "listen.min_upload_rate.",
       .access = field<&Config::proxy, &ProxyConfig::upload_grace>(),
       .bounds = kTimeout},
      {.name = "listen.send_buffer",
       .type = Type::size,
       .help = "SO_SNDBUF of a client's socket, which Linux doubles. It bounds what waits in the "
               "kernel for a slow client.",
       .access = field<&Config::s3, &ListenConfig::send_buffer>(),
       .bounds = {bytes(16 * KiB), bytes(16 * MiB)}},
  };
}

std::vector<Key> origin_keys() {
  return {
      {.name = "origin.id",
       .type = Type::text,
       .help = "Names the origin in every cached identity; another id finds none of what was "
               "cached under this one.",
       .access = field<&Config::proxy, &ProxyConfig::origin_id>(),
       .bounds = {1, 64}},
      {.name = "origin.endpoint",
       .type = Type::url,
       .help = "Addressed path-style.",
       .access = field<&Config::origin, &OriginConfig::endpoint>(),
       .bounds = kNotEmpty},
      {.name = "origin.region",
       .type = Type::text,
       .help = "Signed into every request toward the origin; callers may sign for any.",
       .access = field<&Config::origin, &OriginConfig::region>(),
       .bounds = {1, 64}},
      {.name = "origin.redirect_hosts",
       .type = Type::text_list,
       .help = "Hosts, as patterns (* and ?) with their port if it is not the scheme's own, that "
               "the origin's redirects may name. Requests for the bucket go there, and clients "
               "never see the redirect.",
       .access = field<&Config::origin, &OriginConfig::redirect_hosts>(),
       .example = "[s3.*.amazonaws.com]"},
      {.name = "origin.forwarded_for",
       .type = Type::enumeration,
       .help = "What the origin is told of a client's address, on every request in its name. off: "
               "nothing. set: X-Forwarded-For, for policies that look at it. What clients say "
               "themselves never arrives.",
       .access = field<&Config::proxy, &ProxyConfig::forwarded_for>(),
       .choices = names_of<proxy::ForwardedFor>()},
      {.name = "origin.trailers",
       .type = Type::enumeration,
       .help = "Checksums that clients send behind a body. keep: they go to the origin, which "
               "stores them. strip: for origins that refuse them; this node has checked them.",
       .access = field<&Config::proxy, &ProxyConfig::trailers>(),
       .choices = names_of<s3::TrailerPolicy>()},
      {.name = "origin.ca_file",
       .type = Type::path,
       .help = "PEM, the authorities an https origin is checked against. Empty: the system's.",
       .access = field<&Config::origin, &OriginConfig::ca_file>()},
  };
}

std::vector<Key> origin_bound_keys() {
  return {
      {.name = "origin.max_connections",
       .type = Type::integer,
       .help =
           "Of this node, all workers together. An eighth of them is not for fills, and fills that "
           "nobody waits for leave more than half.",
       .access = field<&Config::origin, &OriginConfig::max_connections>(),
       .bounds = {1, 65'536}},
      {.name = "origin.max_uploads",
       .type = Type::integer,
       .help =
           "Of origin.max_connections, for requests with a body; never more than seven eighths. "
           "Further ones wait for memory.wait. 0: half.",
       .access = field<&Config::origin, &OriginConfig::max_uploads>(),
       .bounds = {0, 65'536}},
      {.name = "origin.receive_buffer",
       .type = Type::size,
       .help = "What the kernel may hold of a response on one connection. Half of it, on newer "
               "kernels nearly all, can come in one round trip: 2MiB allow some 50 MB/s each at "
               "20 ms. At most the third number of net.ipv4.tcp_rmem.",
       .access = field<&Config::origin, &OriginConfig::receive_buffer>(),
       .bounds = {bytes(64 * KiB), bytes(64 * MiB)}},
      {.name = "origin.connect_timeout",
       .type = Type::duration,
       .help = "Name, TCP and TLS.",
       .access = field<&Config::origin, &OriginConfig::connect_timeout>(),
       .bounds = kTimeout},
      {.name = "origin.lookup_timeout",
       .type = Type::duration,
       .help = "A whole lookup: may this caller read, and which version is current.",
       .access = field<&Config::origin, &OriginConfig::lookup_timeout>(),
       .bounds = kTimeout},
      {.name = "origin.first_byte_timeout",
       .type = Type::duration,
       .help = "The head of the response to a request without a body.",
       .access = field<&Config::origin, &OriginConfig::first_byte_timeout>(),
       .bounds = kTimeout},
      {.name = "origin.progress_timeout",
       .type = Type::duration,
       .help = "Between two bytes of a body, either way.",
       .access = field<&Config::origin, &OriginConfig::progress_timeout>(),
       .bounds = kTimeout},
      {.name = "origin.write_response_timeout",
       .type = Type::duration,
       .help = "The head of the response to a write whose body was sent: completing a large upload "
               "takes minutes.",
       .access = field<&Config::origin, &OriginConfig::write_response_timeout>(),
       .bounds = {10, kDay}},
      {.name = "origin.idle_timeout",
       .type = Type::duration,
       .help =
           "Pooled connections that were idle for longer are closed; keep it below the origin's "
           "own.",
       .access = field<&Config::origin, &OriginConfig::idle_timeout>(),
       .bounds = kTimeout},
  };
}

std::vector<Key> auth_keys() {
  return {
      {.name = "auth.mode",
       .type = Type::enumeration,
       .help =
           "verify: the node holds the callers' keys, checks every signature and signs anew for "
           "the origin as the same caller. passthrough: the node holds no keys, requests travel "
           "as they were signed, and the origin must accept the Host that clients sign.",
       .access = field<&Config::proxy, &ProxyConfig::auth_mode>(),
       .choices = names_of<proxy::AuthMode>()},
      {.name = "auth.anonymous",
       .type = Type::enumeration,
       .help = "Requests without any signature. forward: they go to the origin unsigned, and it "
               "decides. deny: 403. With auth.mode passthrough the origin always decides.",
       .access = field<&Config::proxy, &ProxyConfig::anonymous>(),
       .choices = names_of<proxy::AnonymousPolicy>()},
      {.name = "auth.credentials_file",
       .type = Type::path,
       .help = "The callers' keys. Refused when world-readable or group-writable. An invalid new "
               "version keeps the old set and raises forebay_credentials_reload_failed. Needed "
               "by auth.mode verify, and by it alone.",
       .access = field<&Config::auth, &AuthConfig::credentials_file>(),
       .example = "credentials.yaml",
       .shown_by_example = true,
       .reload = true},
      {.name = "auth.clock_skew",
       .type = Type::duration,
       .help = "How far a request's date may be from this node's clock.",
       .access = field<&Config::proxy, &ProxyConfig::clock_skew>(),
       .bounds = {1'000, kDay}},
  };
}

Value devices_to_value(const Config& config) {
  std::vector<Record> records;
  records.reserve(config.cache.disk.devices.size());
  for (const cache::DeviceConfig& device : config.cache.disk.devices)
    records.push_back({{{"path", device.path}, {"size", device.size_bytes}}});
  return records;
}

void devices_from_value(Config& config, const Value& value) {
  config.cache.disk.devices.clear();
  for (const Record& record : std::get<std::vector<Record>>(value))
    config.cache.disk.devices.push_back(
        {record.get<std::string>("path"), record.get<std::uint64_t>("size")});
}

Value rules_to_value(const Config& config) {
  std::vector<Record> records;
  records.reserve(config.proxy.rules.size());
  for (const proxy::CacheRule& rule : config.proxy.rules)
    records.push_back({{{"bucket", rule.bucket},
                        {"prefix", rule.prefix},
                        {"cache", std::string{rule.cache ? "always" : "never"}},
                        {"prestage", rule.prestage}}});
  return records;
}

void rules_from_value(Config& config, const Value& value) {
  config.proxy.rules.clear();
  for (const Record& record : std::get<std::vector<Record>>(value))
    config.proxy.rules.push_back({.bucket = record.get<std::string>("bucket"),
                                  .prefix = record.get<std::string>("prefix"),
                                  .cache = record.get<std::string>("cache", "always") == "always",
                                  .prestage = record.get<bool>("prestage", true)});
}

std::vector<Key> device_keys() {
  return {
      {.name = "path",
       .type = Type::path,
       .help =
           "A file, created and allocated where absent, or a raw device, whose content is lost.",
       .bounds = kNotEmpty,
       .required = true},
      {.name = "size",
       .type = Type::size,
       .help = "How much of it is used. A file of another size is started anew.",
       .bounds = {bytes(64 * MiB), bytes(1024 * TiB)},
       .required = true},
  };
}

std::vector<Key> rule_keys() {
  return {
      {.name = "bucket",
       .type = Type::text,
       .help = "A pattern: * is any run of characters, ? any one.",
       .bounds = kNotEmpty,
       .required = true},
      {.name = "prefix", .type = Type::text, .help = "Of the key. Empty or absent: every key."},
      {.name = "cache",
       .type = Type::enumeration,
       .help = "always (the default), or never.",
       .choices = {"always", "never"}},
      {.name = "prestage",
       .type = Type::boolean,
       .help = "Whether HeadObject fills it. The default is true."},
  };
}

std::vector<Key> cache_keys() {
  return {
      {.name = "cache.devices",
       .type = Type::map_list,
       .help = "Slab files or raw devices, one for each NVMe. None: only RAM caches.",
       .access = {devices_to_value, devices_from_value},
       .example = "[{path: slab0, size: 8GiB}]",
       .items = device_keys()},
      {.name = "cache.min_object_size",
       .type = Type::size,
       .help = "Smaller objects stream through.",
       .access = field<&Config::proxy, &ProxyConfig::min_object_size>(),
       .bounds = {0, bytes(64 * TiB)}},
      {.name = "cache.device_writes_per_day",
       .type = Type::number,
       .help = "How much of a full device may be overwritten in a day, in device sizes. 0 never "
               "overwrites.",
       .access = field<&Config::cache, &cache::CacheConfig::disk,
                       &cache::DiskConfig::device_writes_per_day>(),
       .bounds = {0, 1'000}},
      {.name = "cache.device_stall",
       .type = Type::duration,
       .help = "A device on which operations are under way and none has ended for this long is "
               "passed over until it answers: its blocks are read from the origin.",
       .access =
           field<&Config::cache, &cache::CacheConfig::disk, &cache::DiskConfig::device_stall>(),
       .bounds = {.min = 50, .max = 60'000}},
      {.name = "cache.fill_stall",
       .type = Type::duration,
       .help = "Without a byte for this long a fill's origin request is replaced, once.",
       .access = field<&Config::cache, &cache::CacheConfig::fill_stall>(),
       .bounds = kTimeout},
      {.name = "cache.background_fills",
       .type = Type::integer,
       .help = "Blocks that are filled at once because small ranges of them were read twice; more "
               "wait. 0: such blocks are not filled.",
       .access = field<&Config::cache, &cache::CacheConfig::background_fills>(),
       .bounds = {0, 1'024}},
      {.name = "cache.rules",
       .type = Type::map_list,
       .help = "Exceptions by bucket and prefix; the first that matches decides.",
       .access = {rules_to_value, rules_from_value},
       .example = "[{bucket: \"scratch-*\", prefix: tmp/, cache: never}]",
       .items = rule_keys()},
  };
}

std::vector<Key> device_access_keys() {
  return {
      {.name = "memory.pool_size",
       .type = Type::size,
       .help = "Allocated at the start.",
       .access = field<&Config::pool, &io::BufferPool::Config::size_bytes>(),
       .bounds = {bytes(32 * MiB), bytes(16 * TiB)}},
      {.name = "memory.wait",
       .type = Type::duration,
       .help =
           "What a read may wait for page frames, direct reads and connections to the origin "
           "together; then it goes past the cache within limits.direct_reads, or is answered 503 "
           "SlowDown.",
       .access = field<&Config::proxy, &ProxyConfig::wait>(),
       .bounds = {0, kHour}},
      {.name = "io.engine",
       .type = Type::enumeration,
       .help = "auto: io_uring where the kernel allows it, else a pool of threads that call pread.",
       .access = field<&Config::io, &io::EngineConfig::kind>(),
       .choices = names_of<io::EngineKind>()},
      {.name = "io.threads",
       .type = Type::integer,
       .help = "Threads of the pread pool of each device. Unused with io_uring.",
       .access = field<&Config::io, &io::EngineConfig::pread_threads>(),
       .bounds = {1, 1'024}},
      {.name = "io.ring_entries",
       .type = Type::integer,
       .help = "Of the ring of each worker, divided by the devices.",
       .access = field<&Config::io, &io::EngineConfig::ring_entries>(),
       .bounds = {8, 32'768}},
  };
}

std::vector<Key> bound_keys() {
  return {
      {.name = "prestage.trigger",
       .type = Type::enumeration,
       .help = "any_head: every HeadObject; ranged_head: only with exactly \"Range: bytes=0-0\".",
       .access = field<&Config::proxy, &ProxyConfig::prestage, &PrestageConfig::trigger>(),
       .choices = names_of<proxy::PrestageTrigger>()},
      {.name = "prestage.max_object_size",
       .type = Type::size,
       .help = "Larger objects are not filled ahead.",
       .access = field<&Config::proxy, &ProxyConfig::prestage, &PrestageConfig::max_object_size>(),
       .bounds = {0, bytes(64 * TiB)}},
      {.name = "prestage.max_bytes_in_flight",
       .type = Type::size,
       .help = "Of all fills ahead of reads, at any time.",
       .access =
           field<&Config::proxy, &ProxyConfig::prestage, &PrestageConfig::max_bytes_in_flight>(),
       .bounds = {bytes(4 * MiB), bytes(1 * TiB)}},
      {.name = "prestage.max_share",
       .type = Type::number,
       .help = "Of each device, for blocks that were filled ahead and not read yet.",
       .access = field<&Config::cache, &cache::CacheConfig::disk,
                       &cache::DiskConfig::prestage_max_share>(),
       .bounds = {0, 1}},
      {.name = "prestage.evict_older_than",
       .type = Type::duration,
       .help = "Blocks that were used within this time do not give way to what is filled ahead.",
       .access = field<&Config::cache, &cache::CacheConfig::disk,
                       &cache::DiskConfig::prestage_evict_older_than>(),
       .bounds = {0, 365 * kDay}},
      {.name = "limits.direct_reads",
       .type = Type::integer,
       .help = "Reads, at once, all workers together, whose rest comes from the origin because the "
               "cache "
               "cannot hold it now.",
       .access = field<&Config::proxy, &ProxyConfig::direct_reads_max>(),
       .bounds = {1, 65'536}},
      {.name = "runtime.workers",
       .type = Type::integer,
       .help = "Threads that serve connections. 0: one for each CPU the process may run on.",
       .access = field<&Config::runtime, &runtime::Config::workers>(),
       .bounds = {0, 1'024}},
      {.name = "runtime.drain_timeout",
       .type = Type::duration,
       .help = "What SIGTERM leaves to requests in progress before they are cut. Keep it below the "
               "grace period of whatever stops the daemon.",
       .access = field<&Config::runtime, &runtime::Config::drain_timeout>(),
       .bounds = {0, kHour}},
      {.name = "runtime.core_dumps",
       .type = Type::boolean,
       .help =
           "Whether the kernel may write this process's memory, keys and cached objects with it, "
           "into a core file, and debuggers of the same user may attach. Only while a fault is "
           "sought.",
       .access = field<&Config::process, &ProcessConfig::core_dumps>()},
      {.name = "log.level",
       .type = Type::enumeration,
       .help = "The least important line that is written.",
       .access = field<&Config::log, &log::Config::level>(),
       .choices = {"trace", "debug", "info", "warn", "error", "off"}},
      {.name = "log.access",
       .type = Type::boolean,
       .help = "One line for each request: id, operation, bucket, key, status, bytes, time, cache "
               "status.",
       .access = field<&Config::log, &log::Config::access>()},
      {.name = "log.buffer_size",
       .type = Type::size,
       .help = "What waits for whoever reads standard error. Lines that find it full are dropped "
               "and counted (forebay_log_lines_dropped_total).",
       .access = field<&Config::log, &log::Config::buffer_size>(),
       .bounds = {bytes(64 * KiB), bytes(1 * GiB)}},
  };
}

std::vector<Key> grant_keys() {
  return {
      {.name = "bucket",
       .type = Type::text,
       .help = "A pattern: * is any run of characters, ? any one.",
       .bounds = kNotEmpty,
       .required = true},
      {.name = "read_only", .type = Type::boolean, .help = "The default is false."},
  };
}

std::vector<Key> caller_keys() {
  constexpr Bounds kName{.min = 1, .max = 256};
  return {
      {.name = "access_key",
       .type = Type::text,
       .help = "What the caller signs with.",
       .bounds = kName,
       .required = true,
       .secret = true},
      {.name = "secret_key",
       .type = Type::text,
       .help = "Its secret.",
       .bounds = kName,
       .required = true,
       .secret = true},
      {.name = "origin_access_key",
       .type = Type::text,
       .help = "What the request is signed with for the origin; absent: the same pair.",
       .bounds = kName,
       .secret = true},
      {.name = "origin_secret_key",
       .type = Type::text,
       .help = "The secret of origin_access_key; both or neither.",
       .bounds = kName,
       .secret = true},
      {.name = "origin_session_token",
       .type = Type::text,
       .help = "Of temporary credentials.",
       .bounds = {1, bytes(16 * KiB)},
       .secret = true},
      {.name = "allow",
       .type = Type::map_list,
       .help = "The buckets this caller may touch; absent: all the origin lets it.",
       .bounds = kNotEmpty,
       .items = grant_keys()},
  };
}

}  // namespace

std::span<const Section> sections() {
  return kSections;
}

std::span<const Key> schema() {
  static const std::vector<Key> all = [] {
    std::vector<Key> keys;
    for (auto part :
         {listen_keys(), connection_keys(), origin_keys(), origin_bound_keys(),
          fill_credentials_keys(), auth_keys(), cache_keys(), device_access_keys(), bound_keys()})
      keys.insert(keys.end(), std::make_move_iterator(part.begin()),
                  std::make_move_iterator(part.end()));
    return keys;
  }();
  return all;
}

std::span<const Key> credentials_schema() {
  static const std::vector<Key> all{{.name = "credentials",
                                     .type = Type::map_list,
                                     .help = "One map for each caller.",
                                     .required = true,
                                     .items = caller_keys()}};
  return all;
}

}  // namespace forebay::config
