#include "admin/gate.hpp"
#include "admin/process_metrics.hpp"
#include "admin/routes.hpp"

#include <forebay/admin/server.hpp>
#include <forebay/base/errc.hpp>
#include <forebay/base/log.hpp>
#include <forebay/base/units.hpp>
#include <forebay/http/header_rules.hpp>
#include <forebay/net/http_reader.hpp>
#include <forebay/net/http_writer.hpp>

#include <utility>

namespace forebay::admin {
namespace {

constexpr milliseconds kIdleTimeout{30'000};
constexpr milliseconds kHeadTimeout{5'000};
constexpr milliseconds kBodyTimeout{5'000};
constexpr milliseconds kAnswerTimeout{30'000};
constexpr milliseconds kLingerTimeout{2'000};
constexpr net::HttpReader::Limits kLimits{.head_size_max = 16 * KiB};
/// No request here needs a body; this much of one is read away.
constexpr std::uint64_t kBodyMax = 64 * KiB;
/// Connections that are answered where clients, the origin and the devices use all descriptors up.
constexpr std::size_t kKeptDescriptors = 8;

/// One connection's loop.
class Session {
 public:
  Session(std::unique_ptr<net::Stream> stream, const AdminHooks& hooks, const Gate& gate,
          runtime::WorkerPool& pool)
      : stream_{std::move(stream)},
        reader_{*stream_, kLimits},
        hooks_{hooks},
        gate_{gate},
        pool_{pool} {}

  Task<void> run() {
    while (open_)
      co_await serve_one();
    const Deadline deadline = Deadline::after(kLingerTimeout);
    co_await stream_->shutdown_gracefully(deadline);
  }

 private:
  Task<void> serve_one() {
    const Deadline idle = Deadline::after(kIdleTimeout);
    const auto head = co_await reader_.read_request(idle, kHeadTimeout);
    if (!head) {
      open_ = false;
      const int status = status_of(head.error());
      if (status != 0) {
        const Answer refusal = json_error(status, "the request cannot be read");
        co_await send(refusal, "GET");
      }
      co_return;
    }
    auto refusal = co_await take_body(head.value());
    if (refusal) {
      open_ = false;
      co_await send(*refusal, "GET");
      co_return;
    }
    open_ = net::is_persistent(head.value());
    const Answer answer = co_await answer_request(head.value(), hooks_, gate_, pool_);
    co_await send(answer, head.value().method);
  }

  /// What to answer a head that did not come whole; 0: nothing.
  static int status_of(const Error& error) {
    if (error == Errc::timeout)
      return 408;
    if (error == Errc::too_large)
      return 431;
    return error == Errc::protocol ? 400 : 0;
  }

  /// Checks the head and reads its body away; the answer if that is refused.
  Task<std::optional<Answer>> take_body(const http::RequestHead& head) {
    if (const auto refused = http::check_request(head)) {
      const int status = *refused == http::Refusal::transfer_coding ? 501 : 400;
      co_return json_error(status, http::describe(*refused));
    }
    const auto framing = http::request_framing(head);
    if (!framing)
      co_return json_error(400, "the length of the body is unclear");
    reader_.set_body(framing.value());
    const Deadline deadline = Deadline::after(kBodyTimeout);
    const auto discarded = co_await reader_.discard_body(kBodyMax, deadline);
    if (!discarded)
      co_return json_error(413, "no body is expected here");
    co_return std::nullopt;
  }

  Task<void> send(const Answer& answer, std::string_view method) {
    open_ = open_ && !stream_->interrupted();
    http::ResponseHead head;
    head.status = answer.status;
    head.headers.add("Content-Type", answer.content_type);
    head.headers.add("Content-Length", std::to_string(answer.body.size()));
    head.headers.add("Cache-Control", "no-store");
    if (answer.status == kUnauthorized)
      head.headers.add("WWW-Authenticate", "Bearer");
    head.headers.add("Connection", open_ ? "keep-alive" : "close");
    auto text = net::serialize(head);
    if (!text) {
      open_ = false;
      co_return;
    }
    if (method != "HEAD")
      text.value() += answer.body;
    const Deadline deadline = Deadline::after(kAnswerTimeout);
    const auto sent = co_await stream_->write_all(text.value(), deadline);
    if (!sent)
      open_ = false;
  }

  std::unique_ptr<net::Stream> stream_;
  net::HttpReader reader_;
  const AdminHooks& hooks_;
  const Gate& gate_;
  runtime::WorkerPool& pool_;
  bool open_ = true;
};

class Handler final : public net::ConnectionHandler {
 public:
  Handler(runtime::WorkerPool& pool, AdminHooks hooks, std::shared_ptr<const Gate> gate)
      : pool_{pool}, hooks_{std::move(hooks)}, gate_{std::move(gate)} {}

  Task<void> serve(std::unique_ptr<net::Stream> stream) override {
    Session session{std::move(stream), hooks_, *gate_, pool_};
    co_await session.run();
  }

 private:
  runtime::WorkerPool& pool_;
  const AdminHooks hooks_;
  const std::shared_ptr<const Gate> gate_;
};

}  // namespace

Result<std::unique_ptr<AdminServer>> AdminServer::start(runtime::WorkerPool& pool,
                                                        const AdminConfig& config,
                                                        AdminHooks hooks) {
  net::ListenConfig listen;
  listen.name = "admin";
  listen.address = config.address;
  listen.max_connections = config.max_connections;
  listen.kept_descriptors = kKeptDescriptors;
  open_process_files();
  std::shared_ptr<TokenFile> token;
  if (!config.token_file.empty()) {
    TRY(token, TokenFile::open(config.token_file));
  }
  auto gate = std::make_shared<Gate>(config.address, token);
  auto handler = std::make_shared<Handler>(pool, std::move(hooks), gate);
  TRY(auto listener, net::Listener::start(pool, listen, std::move(handler)));
  if (listener->is_loopback())
    gate->trust_loopback();
  else if (!token)
    log::get("admin").warn(
        "listen.admin {} is not bound to loopback and listen.admin_token_file is not set: purge is "
        "refused",
        config.address);
  return std::unique_ptr<AdminServer>{new AdminServer{std::move(listener), std::move(token)}};
}

void AdminServer::poll() {
  if (token_)
    token_->poll();
}

}  // namespace forebay::admin
