#pragma once
// A TCP server on loopback that does on each connection what the test says, byte for byte.
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace forebay::test {

/// The server's end of one connection: blocking, on a thread of its own. A call that waits ten
/// seconds is a failure of the test.
class Peer {
 public:
  explicit Peer(int descriptor) : descriptor_{descriptor} {}
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer() { close(); }

  /// A head with its empty line; "" where the connection ends before that.
  std::string receive_head();
  /// Less where the connection ends before that.
  std::string receive(std::size_t size);
  /// Throws away what comes; true at the client's end or reset.
  bool receive_end();
  /// False where the client is gone.
  bool send(std::string_view text);
  void close();
  /// Closes with a reset.
  void reset();
  /// Ends what the script waits for. Any thread.
  void interrupt();

 private:
  std::mutex closing_;  ///< Between close() and interrupt().
  int descriptor_;
  std::string early_;  ///< Received and not asked for yet.
};

class LoopbackOrigin {
 public:
  /// What happens on the connection with that number, from 0; it is closed at the end.
  using Script = std::function<void(Peer& peer, std::size_t number)>;

  explicit LoopbackOrigin(Script script);
  /// Interrupts connections that are still served.
  ~LoopbackOrigin();
  LoopbackOrigin(const LoopbackOrigin&) = delete;
  LoopbackOrigin& operator=(const LoopbackOrigin&) = delete;

  std::uint16_t port() const { return port_; }
  /// "http://127.0.0.1:port"
  std::string endpoint() const;
  /// Connections so far.
  std::size_t accepted() const { return accepted_; }
  /// Waits until this many connections have run their script to its end; false after ten seconds.
  bool wait_ended(std::size_t count);

 private:
  void accept_all();
  void serve(std::unique_ptr<Peer> peer, std::size_t number);

  Script script_;
  int listener_;
  std::uint16_t port_ = 0;
  std::atomic<std::size_t> accepted_{0};
  std::mutex mutex_;
  std::condition_variable ended_changed_;
  std::size_t ended_ = 0;             ///< Guarded by mutex_.
  std::set<Peer*> serving_;           ///< Guarded by mutex_.
  std::vector<std::thread> threads_;  ///< accepting_'s thread only.
  std::thread accepting_;
};

}  // namespace forebay::test
