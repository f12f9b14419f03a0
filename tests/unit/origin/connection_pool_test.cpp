// The bound on connections, the line of those who wait, and how idle connections end.
#include "origin/connection_pool.hpp"

#include "client_fixture.hpp"

#include <array>
#include <chrono>
#include <condition_variable>
#include <mutex>

namespace forebay::origin::testing {
namespace {

using test::LoopbackOrigin;
using test::Peer;

/// Holds every request's answer back until release().
class Gate {
 public:
  void serve(Peer& peer) {
    while (serve_one(peer)) {
    }
  }
  /// False at the connection's end.
  bool serve_one(Peer& peer) {
    const std::string head = peer.receive_head();
    if (head.empty())
      return false;
    {
      std::unique_lock lock{mutex_};
      uploads_ += head.starts_with("PUT") ? 1 : 0;
      ++waiting_;
      changed_.notify_all();
      changed_.wait(lock, [this] { return permits_ != 0; });
      --permits_;
      --waiting_;
    }
    return peer.send(ok("x"));
  }
  /// Lets this many answers go.
  void release(int count) {
    const std::lock_guard lock{mutex_};
    permits_ += count;
    changed_.notify_all();
  }
  /// Until this many requests wait for their answers.
  bool wait_for(int count) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, std::chrono::seconds{10}, [&] { return waiting_ >= count; });
  }
  /// Uploads so far.
  int uploads() const {
    const std::lock_guard lock{mutex_};
    return uploads_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int permits_ = 0;
  int waiting_ = 0;
  int uploads_ = 0;
};

/// How many fetches ended how.
class Outcomes {
 public:
  void add(const Error& error) {
    const std::lock_guard lock{mutex_};
    ++(error == Errc::overloaded ? overloaded_ : error ? other_ : good_);
    changed_.notify_all();
  }
  int good() const { return read(good_); }
  int other() const { return read(other_); }
  bool wait_overloaded(int count, std::chrono::seconds patience = std::chrono::seconds{10}) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, patience, [&] { return overloaded_ >= count; });
  }

 private:
  int read(const int& count) const {
    const std::lock_guard lock{mutex_};
    return count;
  }
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int good_ = 0;
  int overloaded_ = 0;
  int other_ = 0;
};

Task<void> fetch_one(Client* client, Reason reason, Deadline deadline, Outcomes* outcomes) {
  http::ResponseHead answer;
  http::RequestHead head = request("GET", "/");
  auto exchange = co_await client->get(std::move(head), reason, deadline, answer);
  if (!exchange) {
    outcomes->add(exchange.error());
    co_return;
  }
  const auto body = co_await read_all(*exchange.value());
  outcomes->add(body ? Error{} : body.error());
}

/// A lookup that waits for a connection until `queue`.
Task<void> fetch_queueing(Client* client, Deadline queue, Outcomes* outcomes) {
  http::ResponseHead answer;
  http::RequestHead head = request("GET", "/");
  const Deadline deadline = patience();
  const auto exchange =
      co_await client->get(std::move(head), Reason::lookup, deadline, answer, queue);
  outcomes->add(exchange ? Error{} : exchange.error());
}

/// fetch_one(), which adds `letter` to `order` when it is done.
Task<void> fetch_and_note(Client* client, Reason reason, Outcomes* outcomes, std::string* order,
                          char letter) {
  co_await fetch_one(client, reason, patience(), outcomes);
  *order += letter;
}

/// One lookup after the other, until `over`.
Task<void> fetch_until(Client* client, std::atomic<bool>* over, Outcomes* outcomes) {
  while (!*over)
    co_await fetch_one(client, Reason::lookup, patience(), outcomes);
}
/// A lookup; `over` when it is done.
Task<void> fetch_last(Client* client, std::atomic<bool>* over, Outcomes* outcomes) {
  co_await fetch_one(client, Reason::lookup, patience(), outcomes);
  *over = true;
}

/// One lookup after the other.
Task<void> fetch_many(Client* client, int count, Outcomes* outcomes) {
  for (int i = 0; i < count; ++i)
    co_await fetch_one(client, Reason::lookup, patience(), outcomes);
}

/// An upload whose body never comes; it ends with the answer's head.
Task<void> upload_one(Client* client, Deadline deadline, Outcomes* outcomes) {
  auto exchange = co_await client->send(put(5), Reason::forward, deadline);
  if (!exchange) {
    outcomes->add(exchange.error());
    co_return;
  }
  const auto head = co_await exchange.value()->read_head(deadline);
  outcomes->add(head ? Error{} : head.error());
}

class ConnectionPoolTest : public ClientTest {
 protected:
  /// Who waits gives up by its own deadline, however slow the machine.
  ConnectionPoolTest() { config.wait = std::chrono::seconds{20}; }

  void start(int count, std::size_t worker, Deadline deadline = patience(),
             Reason reason = Reason::lookup) {
    for (int i = 0; i < count; ++i)
      workers().spawn_on(worker, "fetch", &fetch_one, &client(), reason, deadline, &outcomes);
  }
  void start_uploads(int count, std::size_t worker, Deadline deadline = patience()) {
    for (int i = 0; i < count; ++i)
      workers().spawn_on(worker, "upload", &upload_one, &client(), deadline, &outcomes);
  }
  void wait_all() { EXPECT_TRUE(workers().drain(patience())); }

  Outcomes outcomes;
};

TEST_F(ConnectionPoolTest, WhoFindsNoConnectionWaitsForOne) {
  Gate gate;
  LoopbackOrigin origin{[&gate](Peer& peer, std::size_t) { gate.serve(peer); }};
  config.max_connections = 2;
  connect(origin.endpoint());
  start(10, 0);
  start(10, 1);
  EXPECT_TRUE(gate.wait_for(2));
  EXPECT_EQ(origin.accepted(), 2);
  gate.release(20);
  wait_all();
  EXPECT_EQ(outcomes.good(), 20);
}

TEST_F(ConnectionPoolTest, WhoWaitsTooLongIsOverloaded) {
  Gate gate;
  LoopbackOrigin origin{[&gate](Peer& peer, std::size_t) { gate.serve(peer); }};
  config.max_connections = 1;
  config.wait = milliseconds{300};
  connect(origin.endpoint());
  const double before = errors("overloaded");
  start(1, 0);
  EXPECT_TRUE(gate.wait_for(1));
  start(1, 0);
  EXPECT_TRUE(outcomes.wait_overloaded(1));
  gate.release(1);
  wait_all();
  EXPECT_EQ(errors("overloaded"), before + 1);
  EXPECT_EQ(outcomes.good(), 1);
}

TEST_F(ConnectionPoolTest, ARequestQueuesForAsLongAsItsCallerSays) {
  Gate gate;
  LoopbackOrigin origin{[&gate](Peer& peer, std::size_t) { gate.serve(peer); }};
  config.max_connections = 1;
  connect(origin.endpoint());
  start(1, 0);
  EXPECT_TRUE(gate.wait_for(1));
  workers().spawn_on(0, "fetch", &fetch_queueing, &client(), soon(), &outcomes);
  start(1, 0);
  EXPECT_TRUE(outcomes.wait_overloaded(1));
  gate.release(2);
  wait_all();
  EXPECT_EQ(outcomes.good(), 2);
}

TEST_F(ConnectionPoolTest, AConnectionGivenBackSkipsThoseWhoGaveUp) {
  Gate gate;
  LoopbackOrigin origin{[&gate](Peer& peer, std::size_t) { gate.serve(peer); }};
  config.max_connections = 1;
  connect(origin.endpoint());
  start(1, 0);
  EXPECT_TRUE(gate.wait_for(1));
  // In line before the patient one, and gone when the connection comes back.
  start(3, 1, soon());
  start(1, 1);
  EXPECT_TRUE(outcomes.wait_overloaded(3));
  gate.release(2);
  wait_all();
  EXPECT_EQ(outcomes.good(), 2);
  // Connections stay with their worker: the other made one of its own in the place of the first.
  EXPECT_EQ(origin.accepted(), 2);
}

TEST_F(ConnectionPoolTest, WhoWaitsOnTheSameWorkerGetsTheConnectionItself) {
  Gate gate;
  LoopbackOrigin origin{[&gate](Peer& peer, std::size_t) { gate.serve(peer); }};
  config.max_connections = 1;
  connect(origin.endpoint());
  start(20, 0);
  gate.release(20);
  wait_all();
  EXPECT_EQ(outcomes.good(), 20);
  EXPECT_EQ(origin.accepted(), 1);
}

TEST_F(ConnectionPoolTest, ConnectionsStayWhereRequestsQueueOnTwoWorkers) {
  struct Case {
    std::string name;
    int clients;  ///< On each worker.
  };
  const std::vector<Case> cases{
      {"many more than connections", 40},
      {"a few more than connections", 5},
  };
  constexpr int kRounds = 1'200;  // On each worker.
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    LoopbackOrigin origin{[](Peer& peer, std::size_t) { echo_targets(peer); }};
    config.max_connections = 8;
    connect(origin.endpoint());
    for (const std::size_t worker : {0, 1}) {
      for (int i = 0; i < c.clients; ++i)
        workers().spawn_on(worker, "client", &fetch_many, &client(), kRounds / c.clients,
                           &outcomes);
    }
    wait_all();
    EXPECT_EQ(outcomes.other(), 0);
    EXPECT_LT(origin.accepted(), 2 * kRounds / 10);
    disconnect();
  }
}

TEST_F(ConnectionPoolTest, ARequestIsNotPassedOverForeverByThoseOfAnotherWorker) {
  std::atomic<bool> over{false};
  LoopbackOrigin origin{[](Peer& peer, std::size_t) { echo_targets(peer); }};
  config.max_connections = 1;
  connect(origin.endpoint());
  // The connection is theirs, and some of them wait for it at any time.
  for (int i = 0; i < 5; ++i)
    workers().spawn_on(0, "client", &fetch_until, &client(), &over, &outcomes);
  workers().run_on_each([](runtime::Worker&) {});
  workers().spawn_on(1, "last", &fetch_last, &client(), &over, &outcomes);
  wait_all();
  EXPECT_FALSE(outcomes.wait_overloaded(1, std::chrono::seconds{0}));
  EXPECT_EQ(outcomes.other(), 0);
}

TEST_F(ConnectionPoolTest, FillsLeaveAReserveToTheOthers) {
  Gate gate;
  LoopbackOrigin origin{[&gate](Peer& peer, std::size_t) { gate.serve(peer); }};
  config.max_connections = 16;
  connect(origin.endpoint());
  start(20, 0, patience(), Reason::fill);
  start(20, 1, patience(), Reason::prestage);
  EXPECT_TRUE(gate.wait_for(14));
  // Past the fills that wait for one of the fourteen, on either worker.
  start(1, 0);
  EXPECT_TRUE(gate.wait_for(15));
  start(1, 1);
  EXPECT_TRUE(gate.wait_for(16));
  EXPECT_EQ(origin.accepted(), 16);
  gate.release(42);
  wait_all();
  EXPECT_EQ(outcomes.good(), 42);
}

TEST_F(ConnectionPoolTest, BackgroundFillsLeaveHalfOfTheirShareAndTheLastConnections) {
  Gate gate;
  LoopbackOrigin origin{[&gate](Peer& peer, std::size_t) { gate.serve(peer); }};
  config.max_connections = 16;
  connect(origin.endpoint());
  start(20, 0, patience(), Reason::background);
  start(20, 1, patience(), Reason::prestage);
  EXPECT_TRUE(gate.wait_for(7));
  // Each finds a connection at once, on either worker.
  start(5, 0);
  EXPECT_TRUE(gate.wait_for(12));
  EXPECT_EQ(origin.accepted(), 12);
  gate.release(45);
  wait_all();
  EXPECT_EQ(outcomes.good(), 45);

  // Of sixteen, four stay free of background fills whatever the twelve are used for.
  start(12, 0);
  EXPECT_TRUE(gate.wait_for(12));
  start(3, 1, soon(), Reason::background);
  EXPECT_TRUE(outcomes.wait_overloaded(3));
  gate.release(12);
  wait_all();
}

TEST_F(ConnectionPoolTest, ADemandFillGoesBeforeABackgroundOneThatCameFirst) {
  Gate gate;
  LoopbackOrigin origin{[&gate](Peer& peer, std::size_t) { gate.serve(peer); }};
  config.max_connections = 1;
  connect(origin.endpoint());
  start(1, 0);
  EXPECT_TRUE(gate.wait_for(1));
  std::string order;
  const auto queue = [&](Reason reason, char letter) {
    workers().spawn_on(0, "fetch", &fetch_and_note, &client(), reason, &outcomes, &order, letter);
  };
  queue(Reason::background, 'b');
  queue(Reason::prestage, 'p');
  queue(Reason::fill, 'f');
  queue(Reason::lookup, 'l');
  workers().run_on_each([](runtime::Worker&) {});
  gate.release(5);
  wait_all();
  EXPECT_EQ(order, "flbp");
}

TEST_F(ConnectionPoolTest, AFillUsesTheOnlyConnection) {
  LoopbackOrigin origin{[](Peer& peer, std::size_t) { echo_targets(peer); }};
  config.max_connections = 1;
  connect(origin.endpoint());
  start(5, 0, patience(), Reason::fill);
  start(5, 1, patience(), Reason::prestage);
  start(5, 1);
  wait_all();
  EXPECT_EQ(outcomes.good(), 15);
}

TEST_F(ConnectionPoolTest, AFillThatGivesUpLeavesItsShare) {
  Gate gate;
  LoopbackOrigin origin{[&gate](Peer& peer, std::size_t) { gate.serve(peer); }};
  config.max_connections = 2;
  connect(origin.endpoint());
  // For want of a share, then of a place.
  start(1, 0, patience(), Reason::fill);
  EXPECT_TRUE(gate.wait_for(1));
  start(3, 1, soon(), Reason::fill);
  EXPECT_TRUE(outcomes.wait_overloaded(3));
  gate.release(1);
  wait_all();
  start(2, 0);
  EXPECT_TRUE(gate.wait_for(2));
  start(3, 1, soon(), Reason::fill);
  EXPECT_TRUE(outcomes.wait_overloaded(6));
  gate.release(2);
  wait_all();
  start(4, 1, patience(), Reason::fill);
  gate.release(4);
  wait_all();
  EXPECT_EQ(outcomes.good(), 7);
}

TEST(PoolShares, EachUseLeavesConnectionsToTheOthers) {
  struct Case {
    std::string name;
    std::size_t max_connections;
    std::size_t max_uploads;
    std::size_t fills;
    std::size_t background;
    std::size_t uploads;
    std::size_t together;
    std::size_t background_below;
  };
  const std::vector<Case> cases{
      {"one is everybody's", 1, 0, 1, 1, 1, 1, 1},
      {"two", 2, 0, 1, 1, 1, 1, 1},
      {"few", 5, 0, 4, 2, 2, 4, 3},
      {"sixteen", 16, 0, 14, 7, 8, 15, 12},
      {"the default", 512, 0, 448, 224, 256, 480, 384},
      {"fewer uploads", 512, 10, 448, 224, 10, 480, 384},
      {"more uploads", 16, 12, 14, 7, 12, 15, 12},
      {"too many uploads", 16, 500, 14, 7, 14, 15, 12},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const Shares shares = Shares::of(c.max_connections, c.max_uploads);
    const std::array<std::size_t, kUses> each{c.max_connections, c.fills, c.background, c.uploads};
    EXPECT_EQ(shares.each, each);
    EXPECT_EQ(shares.together, c.together);
    EXPECT_EQ(shares.background_below, c.background_below);
  }
}

TEST_F(ConnectionPoolTest, UploadsAndFillsLeaveConnectionsToEachOtherAndToTheRest) {
  Gate gate;
  LoopbackOrigin origin{[&gate](Peer& peer, std::size_t) { gate.serve(peer); }};
  config.max_connections = 16;
  connect(origin.endpoint());
  start_uploads(10, 0);
  start_uploads(10, 1);
  EXPECT_TRUE(gate.wait_for(8));
  // Past the uploads that wait for one of the eight.
  start(20, 0, patience(), Reason::fill);
  EXPECT_TRUE(gate.wait_for(15));
  start(1, 1);
  EXPECT_TRUE(gate.wait_for(16));
  EXPECT_EQ(gate.uploads(), 8);
  EXPECT_EQ(origin.accepted(), 16);
  gate.release(41);
  wait_all();
  EXPECT_EQ(outcomes.good(), 41);
}

TEST_F(ConnectionPoolTest, FillsLeaveAConnectionToUploads) {
  Gate gate;
  LoopbackOrigin origin{[&gate](Peer& peer, std::size_t) { gate.serve(peer); }};
  config.max_connections = 16;
  connect(origin.endpoint());
  start(20, 0, patience(), Reason::fill);
  EXPECT_TRUE(gate.wait_for(14));
  start_uploads(3, 1);
  EXPECT_TRUE(gate.wait_for(15));
  start(1, 1);
  EXPECT_TRUE(gate.wait_for(16));
  EXPECT_EQ(gate.uploads(), 1);
  gate.release(24);
  wait_all();
  EXPECT_EQ(outcomes.good(), 24);
}

TEST_F(ConnectionPoolTest, AnUploadThatWaitsForItsShareIsNextWhenAnotherEnds) {
  Gate gate;
  LoopbackOrigin origin{[&gate](Peer& peer, std::size_t) { gate.serve(peer); }};
  config.max_connections = 8;
  config.max_uploads = 1;
  connect(origin.endpoint());
  start_uploads(1, 0);
  EXPECT_TRUE(gate.wait_for(1));
  // They give up for want of a share, while most connections are free.
  start_uploads(3, 1, soon());
  EXPECT_TRUE(outcomes.wait_overloaded(3));
  start_uploads(2, 1);
  start(2, 0);
  EXPECT_TRUE(gate.wait_for(3));
  gate.release(5);
  wait_all();
  EXPECT_EQ(outcomes.good(), 5);
}

TEST_F(ConnectionPoolTest, AnotherWorkersIdleConnectionMakesRoom) {
  LoopbackOrigin origin{[](Peer& peer, std::size_t) { echo_targets(peer); }};
  config.max_connections = 1;
  connect(origin.endpoint());
  for (std::size_t round = 0; round < 6; ++round) {
    const std::size_t worker = round % 2;
    EXPECT_EQ(fetched("/" + std::to_string(round), worker), "/" + std::to_string(round));
    EXPECT_EQ(metric("forebay_origin_connections", "idle"), 1);
  }
  EXPECT_EQ(origin.accepted(), 6);
}

TEST_F(ConnectionPoolTest, ManyWhoWaitGetAllTheIdleConnectionsOfAnotherWorker) {
  Gate gate;
  LoopbackOrigin origin{[&gate](Peer& peer, std::size_t) { gate.serve(peer); }};
  config.max_connections = 8;
  connect(origin.endpoint());
  start(8, 0);
  EXPECT_TRUE(gate.wait_for(8));
  gate.release(8);
  wait_all();
  EXPECT_EQ(metric("forebay_origin_connections", "idle"), 8);
  start(8, 1);
  // All at once: each got a place of its own.
  EXPECT_TRUE(gate.wait_for(8));
  EXPECT_EQ(origin.accepted(), 16);
  gate.release(8);
  wait_all();
  EXPECT_EQ(outcomes.good(), 16);
}

TEST_F(ConnectionPoolTest, ARequestIsRepeatedOnAFreshConnectionAlthoughOthersAreIdle) {
  Gate gate;
  LoopbackOrigin origin{[&gate](Peer& peer, std::size_t number) {
    if (number >= 2)
      return echo_targets(peer);
    gate.serve_one(peer);
    // Gone with the next request, as if restarted meanwhile.
    peer.receive_head();
  }};
  connect(origin.endpoint());
  start(2, 0);
  EXPECT_TRUE(gate.wait_for(2));
  gate.release(2);
  wait_all();
  EXPECT_EQ(metric("forebay_origin_connections", "idle"), 2);
  EXPECT_EQ(fetched("/"), "/");
  EXPECT_EQ(origin.accepted(), 3);
}

TEST_F(ConnectionPoolTest, AConnectThatFailsLeavesItsPlace) {
  std::string gone;
  {
    const LoopbackOrigin origin{[](Peer&, std::size_t) {}};
    gone = origin.endpoint();
  }
  config.max_connections = 1;
  connect(gone);
  const double before = errors("overloaded");
  start(5, 0);
  start(5, 1);
  wait_all();
  EXPECT_EQ(outcomes.other(), 10);
  EXPECT_EQ(errors("overloaded"), before);
}

TEST_F(ConnectionPoolTest, ClosesWhatStandsIdleTooLong) {
  LoopbackOrigin origin{[](Peer& peer, std::size_t) { echo_targets(peer); }};
  config.idle_timeout = milliseconds{30};
  connect(origin.endpoint());
  EXPECT_EQ(fetched("/"), "/");
  // Nobody asks for anything: the connection ends by itself.
  EXPECT_TRUE(origin.wait_ended(1));
  EXPECT_EQ(fetched("/again"), "/again");
  EXPECT_EQ(origin.accepted(), 2);
}

TEST_F(ConnectionPoolTest, StoppingClosesIdleConnectionsAndKeepsNoLaterOnes) {
  Gate gate;
  LoopbackOrigin origin{[&gate](Peer& peer, std::size_t) { gate.serve(peer); }};
  connect(origin.endpoint());
  start(2, 0);
  EXPECT_TRUE(gate.wait_for(2));
  gate.release(1);
  EXPECT_TRUE(gate.wait_for(1));
  workers().run_on_each([this](runtime::Worker&) { client().stop(); });
  gate.release(1);
  wait_all();
  EXPECT_TRUE(origin.wait_ended(2));
  EXPECT_EQ(metric("forebay_origin_connections", "idle"), 0);
}

}  // namespace
}  // namespace forebay::origin::testing
