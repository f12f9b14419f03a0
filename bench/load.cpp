// A load generator for large reads over HTTP/1.1 keep-alive: many connections on one thread, bodies
// discarded in the kernel (MSG_TRUNC), so that the client costs little and the server's own CPU
// time, read from /proc, is what is compared. Prints one CSV line.
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr double kGiB = 1024.0 * 1024 * 1024;

struct Options {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  std::string urls;  ///< A file of lines "target size".
  std::size_t connections = 32;
  double seconds = 3;
  double warm_up = 0.5;
  std::uint64_t range = 0;  ///< 0: whole objects.
  std::vector<int> pids;
  std::string label = "-";
};

struct Target {
  std::string path;
  std::uint64_t size = 0;
};

struct Totals {
  std::uint64_t bytes = 0;
  std::uint64_t requests = 0;
  std::uint64_t hits = 0;
  std::vector<double> latencies_ms;
};

/// User and system seconds of the processes so far.
double cpu_seconds(const std::vector<int>& pids) {
  double ticks = 0;
  for (const int pid : pids) {
    std::ifstream file{"/proc/" + std::to_string(pid) + "/stat"};
    std::string text{std::istreambuf_iterator<char>{file}, {}};
    const std::size_t name_end = text.rfind(')');
    if (name_end == std::string::npos)
      continue;
    unsigned long user = 0;
    unsigned long system = 0;
    // Fields 14 and 15 of proc(5); the state is field 3.
    std::sscanf(text.c_str() + name_end + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                &user, &system);
    ticks += static_cast<double>(user + system);
  }
  return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

/// One keep-alive connection: a request, the head of its answer, its body, the next request.
class Connection {
 public:
  Connection(const Options& options, const std::vector<Target>& targets, std::uint64_t seed)
      : options_{options}, targets_{targets}, random_{seed} {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    if (fd_ >= 0)
      ::close(fd_);
  }

  int open() {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(options_.port);
    ::inet_pton(AF_INET, options_.host.c_str(), &address.sin_addr);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      return -1;
    const int one = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    ::fcntl(fd_, F_SETFL, O_NONBLOCK);
    return fd_;
  }

  bool send_request() {
    const Target& target = targets_[random_() % targets_.size()];
    std::string request = "GET " + target.path + " HTTP/1.1\r\nHost: " + options_.host + ":" +
                          std::to_string(options_.port) + "\r\n";
    expected_ = target.size;
    if (options_.range != 0 && options_.range < target.size) {
      const std::uint64_t places = target.size / options_.range;
      const std::uint64_t first = random_() % places * options_.range;
      expected_ = options_.range;
      request += "Range: bytes=" + std::to_string(first) + "-" +
                 std::to_string(first + expected_ - 1) + "\r\n";
    }
    request += "\r\n";
    head_.clear();
    in_body_ = false;
    started_ = SteadyClock::now();
    return ::send(fd_, request.data(), request.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(request.size());
  }

  /// Takes what has arrived; false when the connection cannot go on.
  bool receive(Totals& totals) {
    constexpr int kReadsPerTurn = 16;
    for (int i = 0; i < kReadsPerTurn; ++i) {
      const ssize_t got = in_body_ ? receive_body(totals) : receive_head(totals);
      if (got < 0 && errno == EAGAIN)
        return true;
      if (got <= 0)
        return false;
      if (!in_body_ || left_ != 0)
        continue;
      const std::chrono::duration<double, std::milli> took = SteadyClock::now() - started_;
      totals.latencies_ms.push_back(took.count());
      ++totals.requests;
      if (!send_request())
        return false;
    }
    return true;
  }

 private:
  ssize_t receive_body(Totals& totals) {
    const ssize_t got = ::recv(fd_, nullptr, left_, MSG_TRUNC);
    if (got > 0) {
      left_ -= static_cast<std::uint64_t>(got);
      totals.bytes += static_cast<std::uint64_t>(got);
    }
    return got;
  }

  ssize_t receive_head(Totals& totals) {
    char buffer[4096];
    const ssize_t got = ::recv(fd_, buffer, sizeof buffer, 0);
    if (got <= 0)
      return got;
    head_.append(buffer, static_cast<std::size_t>(got));
    const std::size_t end = head_.find("\r\n\r\n");
    if (end == std::string::npos)
      return got;
    const bool ok = head_.compare(9, 3, "200") == 0 || head_.compare(9, 3, "206") == 0;
    if (!ok || content_length() != expected_) {
      std::fprintf(stderr, "unexpected answer: %.*s\n", static_cast<int>(end), head_.data());
      errno = EPROTO;
      return -1;
    }
    totals.hits += head_.find("x-forebay-cache: hit") != std::string::npos ? 1 : 0;
    const std::uint64_t early = head_.size() - (end + 4);
    totals.bytes += early;
    left_ = expected_ - early;
    in_body_ = true;
    return got;
  }

  std::uint64_t content_length() const {
    constexpr std::string_view kName = "\r\nContent-Length: ";
    const std::size_t at = head_.find(kName);
    std::uint64_t value = ~0ULL;
    if (at != std::string::npos)
      std::from_chars(head_.data() + at + kName.size(), head_.data() + head_.size(), value);
    return value;
  }

  const Options& options_;
  const std::vector<Target>& targets_;
  std::mt19937_64 random_;
  int fd_ = -1;
  std::string head_;
  bool in_body_ = false;
  std::uint64_t expected_ = 0;
  std::uint64_t left_ = 0;
  SteadyClock::time_point started_;
};

double percentile(std::vector<double>& values, double p) {
  if (values.empty())
    return 0;
  const auto index = static_cast<std::size_t>(p * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(index),
                   values.end());
  return values[index];
}

int run(const Options& options, const std::vector<Target>& targets) {
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  std::vector<std::unique_ptr<Connection>> connections;
  for (std::size_t i = 0; i < options.connections; ++i) {
    auto connection = std::make_unique<Connection>(options, targets, i + 1);
    epoll_event event{.events = EPOLLIN, .data = {.ptr = connection.get()}};
    const int fd = connection->open();
    if (fd < 0 || ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0 ||
        !connection->send_request()) {
      std::perror("connect");
      return 1;
    }
    connections.push_back(std::move(connection));
  }
  Totals totals;
  const auto begin = SteadyClock::now();
  auto measured_from = begin;
  double cpu_before = 0;
  bool measuring = false;
  std::vector<epoll_event> events(512);
  for (;;) {
    const int count = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), 20);
    for (int i = 0; i < count; ++i) {
      auto* connection = static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr);
      if (!connection->receive(totals)) {
        std::fprintf(stderr, "%s: a connection failed: %s\n", options.label.c_str(),
                     std::strerror(errno));
        return 1;
      }
    }
    const auto now = SteadyClock::now();
    const std::chrono::duration<double> since_begin = now - begin;
    if (!measuring && since_begin.count() >= options.warm_up) {
      measuring = true;
      measured_from = now;
      cpu_before = cpu_seconds(options.pids);
      totals = Totals{};
    }
    if (since_begin.count() >= options.warm_up + options.seconds)
      break;
  }
  const std::chrono::duration<double> elapsed = SteadyClock::now() - measured_from;
  const double cpu = cpu_seconds(options.pids) - cpu_before;
  const double gib = static_cast<double>(totals.bytes) / kGiB;
  std::printf("%s,%zu,%llu,%.2f,%.3f,%.1f,%.2f,%.2f,%.4f,%.1f,%llu\n", options.label.c_str(),
              options.connections, static_cast<unsigned long long>(options.range), elapsed.count(),
              static_cast<double>(totals.bytes) / elapsed.count() / 1e9,
              static_cast<double>(totals.requests) / elapsed.count(),
              percentile(totals.latencies_ms, 0.5), percentile(totals.latencies_ms, 0.99),
              gib > 0 ? cpu / gib : 0,
              totals.requests > 0 ? cpu / static_cast<double>(totals.requests) * 1e6 : 0,
              static_cast<unsigned long long>(totals.hits));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  bool header = false;
  CLI::App app{"Reads objects or ranges of them as fast as the server gives them."};
  app.add_option("--port", options.port);
  app.add_option("--urls", options.urls, "file of lines: target size");
  app.add_option("--connections", options.connections);
  app.add_option("--seconds", options.seconds);
  app.add_option("--warm-up", options.warm_up);
  app.add_option("--range", options.range, "bytes of each request, 0: whole objects");
  app.add_option("--pids", options.pids, "server processes whose CPU time counts");
  app.add_option("--label", options.label);
  app.add_flag("--header", header, "print the CSV header and end");
  CLI11_PARSE(app, argc, argv);
  if (header) {
    std::puts(
        "label,connections,range,seconds,GBps,requests_per_s,p50_ms,p99_ms,server_cpu_s_per_GiB,"
        "server_cpu_us_per_request,hits");
    return 0;
  }
  std::vector<Target> targets;
  std::ifstream file{options.urls};
  for (Target target; file >> target.path >> target.size;)
    targets.push_back(target);
  if (targets.empty()) {
    std::fprintf(stderr, "%s: no targets\n", options.urls.c_str());
    return 2;
  }
  return run(options, targets);
}
