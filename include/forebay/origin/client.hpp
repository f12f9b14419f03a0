#pragma once
// Requests to the origin over pooled keep-alive connections: one Exchange is one request and its
// response.
#include <forebay/base/result.hpp>
#include <forebay/http/message.hpp>
#include <forebay/origin/config.hpp>
#include <forebay/origin/retry_policy.hpp>
#include <forebay/runtime/deadline.hpp>
#include <forebay/runtime/task.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace forebay::net {
class Stream;
}

namespace forebay::origin {

/// Label of forebay_origin_requests_total{reason}. `fill` is for fills that somebody waits for;
/// `background` and `prestage` are for those that nobody does, and step back behind all others.
enum class Reason { lookup, fill, background, prestage, forward, credentials };

/// One request on one connection. One worker, one task at a time. Destroying it returns the
/// connection to the pool where the response was read to its end and keep-alive allows it, and
/// closes it otherwise (which aborts an upload at the origin).
class Exchange {
 public:
  virtual ~Exchange() = default;

  // A request with a body: write what the head announced (Content-Length), or chunks and
  // finish_body() for Transfer-Encoding: chunked.

  /// Errc::closed when the origin has answered or closed early: then read_head().
  virtual Task<Result<void>> write_body(std::span<const std::byte> data, Deadline deadline) = 0;
  virtual Task<Result<void>> finish_body(Deadline deadline) = 0;
  /// Whether response bytes have arrived (or the connection ended): an early answer to an
  /// unfinished upload. Never waits.
  virtual bool response_pending() = 0;
  /// Waits until response_pending(), e.g. for 100 Continue. False when the deadline passed first.
  virtual Task<Result<bool>> wait_response(Deadline deadline) = 0;
  /// Waits until response_pending(), or until a read from `client` would not wait. Errc::timeout.
  virtual Task<Result<void>> wait_response_or(net::Stream& client, Deadline deadline) = 0;

  /// The next response head; status 100 is reported, other 1xx are swallowed. Errc::timeout,
  /// closed, protocol, too_large.
  virtual Task<Result<http::ResponseHead>> read_head(Deadline deadline) = 0;
  /// After a final head. At least one byte, or 0 at the body's end; Errc::truncated where the
  /// connection ends before it.
  virtual Task<Result<std::size_t>> read_body(std::span<std::byte> buffer, Deadline deadline) = 0;
  /// How the final head frames its body.
  virtual http::BodyFraming framing() const = 0;
};

/// Where requests for one bucket go.
struct Route {
  std::string host;  ///< As the Host field wants it: no port where it is the scheme's own.
  std::string region;
};

/// The node's client. One object for all workers; each worker keeps idle connections of its own,
/// the bound on connections is common.
class Client {
 public:
  /// Errc::invalid_config for an endpoint or ca_file that cannot be used (logged why).
  static Result<std::unique_ptr<Client>> create(const OriginConfig& config);
  virtual ~Client() = default;

  const OriginConfig& config() const { return config_; }
  /// Of a path-style target: origin.endpoint, or what learn() was told.
  virtual Route route(std::string_view target) const = 0;
  /// Notes where `answer`, a redirect with that body, sends requests for the target's bucket.
  /// False, with a warning in the log, where the configuration does not allow that.
  virtual bool learn(std::string_view target, const http::ResponseHead& answer,
                     std::string_view body) = 0;

  /// Sends the head, signed and complete but for Host (set here if absent) and Connection, to the
  /// host that it names where that is one of a route, else to origin.endpoint. For a
  /// method that is safe (GET, HEAD) a pooled connection that turns out stale is replaced and the
  /// head sent again; for others only where no byte was sent. Waits for a connection until `queue`,
  /// by default for OriginConfig::wait, and for all else until `deadline`. Errc::overloaded (no
  /// connection became free), unavailable (connect failed), timeout.
  virtual Task<Result<std::unique_ptr<Exchange>>> send(
      http::RequestHead head, Reason reason, Deadline deadline,
      std::optional<Deadline> queue = std::nullopt) = 0;

  /// send() and read_head() of a safe request without a body, retried once on a stale pooled
  /// connection.
  virtual Task<Result<std::unique_ptr<Exchange>>> get(
      http::RequestHead head, Reason reason, Deadline deadline, http::ResponseHead& response,
      std::optional<Deadline> queue = std::nullopt) = 0;
  /// What pays for repeating requests that the origin failed to answer.
  RetryBudget& retries() { return retries_; }
  /// Until when the origin, which said 429 or 503 to a request of any kind, is to be spared what
  /// nobody waits for. Noted by get().
  const Pressure& pressure() const { return pressure_; }

  /// Closes idle connections. On each worker's thread.
  virtual void stop() = 0;

 protected:
  OriginConfig config_;

 private:
  RetryBudget retries_{RetryBudget::Config{}};

 protected:
  Pressure pressure_;
};

}  // namespace forebay::origin
