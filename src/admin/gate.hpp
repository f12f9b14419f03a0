#pragma once
// Who may change state through the admin port.
#include "admin/answer.hpp"

#include <forebay/admin/token_file.hpp>
#include <forebay/http/message.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <string>

namespace forebay::admin {

/// A page in an operator's browser can send requests here, even to a port on loopback: it names
/// itself in Origin, or it has its own name resolve to this address (DNS rebinding) and is known by
/// Host. Both are refused, whatever else the request shows. Any thread.
class Gate {
 public:
  /// `address` is listen.admin; `token` is null where none is configured.
  Gate(const std::string& address, std::shared_ptr<const TokenFile> token);

  /// The port turned out to be bound to loopback: without a token file whoever reaches it may
  /// change state.
  void trust_loopback() { loopback_ = true; }

  /// Why a request that would change state is refused, or nullopt: 403, and 401 where a token is
  /// needed and not shown. `head` passed check_request.
  std::optional<Answer> refusal(const http::RequestHead& head) const;

 private:
  bool is_own_host(std::string_view host) const;
  bool shows_token(const http::RequestHead& head) const;

  std::string own_host_;  ///< Of listen.admin, without its port.
  std::shared_ptr<const TokenFile> token_;
  std::atomic<bool> loopback_{false};
};

}  // namespace forebay::admin
