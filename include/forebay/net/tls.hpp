#pragma once
// TLS settings of a listener or of connections going out. TLS 1.2 and newer.
#include <forebay/base/result.hpp>

#include <memory>
#include <string>

struct ssl_ctx_st;

namespace forebay::net {

/// Owns one OpenSSL SSL_CTX; immutable after creation, any thread.
class TlsContext {
 public:
  /// For a listener. Errc::invalid_config, logged: a file that cannot be read, or a key that is not
  /// the certificate's.
  static Result<std::shared_ptr<const TlsContext>> server(const std::string& certificate_file,
                                                          const std::string& key_file);
  /// For connections going out: the server's certificate must be valid for the host name that is
  /// connected to, and lead to `ca_file` (PEM), or with "" to the system's authorities.
  static Result<std::shared_ptr<const TlsContext>> client(const std::string& ca_file);

  ssl_ctx_st* native() const { return context_.get(); }

 private:
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };
  explicit TlsContext(ssl_ctx_st* context) : context_{context} {}

  std::unique_ptr<ssl_ctx_st, Free> context_;
};

}  // namespace forebay::net
