#include "net/resolver.hpp"

#include <forebay/base/errc.hpp>
#include <forebay/base/log.hpp>
#include <forebay/runtime/waiter.hpp>
#include <forebay/runtime/worker.hpp>

#include <memory>
#include <unordered_map>
#include <utility>

#include <boost/asio/ip/tcp.hpp>

namespace forebay::net {
namespace {

using boost::asio::ip::tcp;

constexpr std::chrono::seconds kRemembered{5};

/// One name, asked once. `waiting` until `done`.
struct Question {
  bool done = false;
  Addresses addresses;  ///< Empty: the question failed, and none was ever answered.
  TimePoint expires;
  runtime::WaitList waiting;
};

/// The calling worker's questions. Bounded by the names in the configuration.
std::unordered_map<std::string, std::shared_ptr<Question>>& questions() {
  thread_local std::unordered_map<std::string, std::shared_ptr<Question>> map;
  return map;
}

/// A task of its own: getaddrinfo cannot be interrupted, and who asked may give up sooner.
Task<void> ask(std::shared_ptr<Question> question, std::string host) {
  tcp::resolver resolver{runtime::Worker::current().context()};
  // No AI_ADDRCONFIG: it would hide "localhost" where only loopback is up.
  const auto flags = tcp::resolver::flags{};
  auto [ec, results] = co_await resolver.async_resolve(host, "", flags, use_task);
  if (ec)
    log::get("net").debug("no address for {}: {}", host, ec.message());
  if (!results.empty())
    question->addresses.clear();
  for (const auto& result : results)
    question->addresses.push_back(result.endpoint().address());
  question->done = true;
  question->expires = Clock::now() + kRemembered;
  if (question->addresses.empty())
    questions().erase(host);
  question->waiting.wake_all();
}

std::shared_ptr<Question> question_for(const std::string& host) {
  auto& known = questions()[host];
  const bool usable = known && (!known->done || known->expires > Clock::now());
  if (!usable) {
    auto again = std::make_shared<Question>();
    // Where the answer fails to come, what was known is better than nothing.
    if (known)
      again->addresses = known->addresses;
    known = std::move(again);
    runtime::Worker::current().tasks().spawn("resolve", ask, known, host);
  }
  return known;
}

}  // namespace

Task<Result<Addresses>> resolve(std::string host, Deadline deadline) {
  boost::system::error_code no_literal;
  const auto literal = boost::asio::ip::make_address(host, no_literal);
  if (!no_literal)
    co_return Addresses{literal};
  const auto question = question_for(host);
  if (!question->done) {
    const auto waiter = runtime::Waiter::create();
    question->waiting.add(waiter);
    const bool woken = co_await waiter->wait(deadline);
    if (!woken)
      co_return Errc::timeout;
  }
  if (question->addresses.empty())
    co_return Errc::unavailable;
  co_return question->addresses;
}

}  // namespace forebay::net
