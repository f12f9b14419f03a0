#pragma once
// Whether a client sends the body of its request fast enough. Pure.
#include <forebay/base/units.hpp>
#include <forebay/runtime/deadline.hpp>

#include <cstdint>

namespace forebay::proxy {

/// One body. A client may be silent for the grace period; each byte that it sends buys the time
/// that the minimum rate gives it, up to a full grace period again. So a client may pause and may
/// come in bursts, but one that sends less than the rate for long is out of time, however it
/// spreads its bytes. Only the time that the node waits for the client counts: a slow origin is not
/// its fault.
class UploadPace {
 public:
  /// `min_rate` in bytes a second; 0: every pace is fast enough.
  UploadPace(std::uint64_t min_rate, milliseconds grace);

  /// Until when the node may wait from `now` on.
  Deadline deadline(TimePoint now) const;
  /// The node waited for the client.
  void waited(Clock::duration time);
  /// The client sent bytes.
  void received(std::uint64_t size);

 private:
  std::uint64_t min_rate_;
  Clock::duration grace_;
  Clock::duration left_;  ///< Of the time that the client may be waited for; 0 to grace_.
};

}  // namespace forebay::proxy
