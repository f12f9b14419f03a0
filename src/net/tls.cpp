#include <forebay/base/errc.hpp>
#include <forebay/base/log.hpp>
#include <forebay/net/tls.hpp>

#include <new>

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace forebay::net {
namespace {

SSL_CTX* new_context(const SSL_METHOD* method) {
  SSL_CTX* context = SSL_CTX_new(method);
  if (context == nullptr)
    throw std::bad_alloc{};
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // A write is done whole, however small the peer wants its records, or repeated, perhaps from
  // another address (TlsStream's staging): no partial writes.
  SSL_CTX_set_mode(context, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  // One recv a record instead of one for its header and one for the rest.
  SSL_CTX_set_read_ahead(context, 1);
  return context;
}

Error unusable(const std::string& what) {
  const unsigned long code = ERR_get_error();
  const char* known = ERR_reason_error_string(code);
  std::string reason = known != nullptr ? known : "cannot be used";
  if (ERR_SYSTEM_ERROR(code))
    reason = Error{ERR_GET_REASON(code), boost::system::system_category()}.message();
  log::get("net").error("{}: {}", what, reason);
  return Errc::invalid_config;
}

}  // namespace

void TlsContext::Free::operator()(SSL_CTX* context) const {
  SSL_CTX_free(context);
}

Result<std::shared_ptr<const TlsContext>> TlsContext::server(const std::string& certificate_file,
                                                             const std::string& key_file) {
  std::shared_ptr<const TlsContext> made{new TlsContext{new_context(TLS_server_method())}};
  SSL_CTX* context = made->native();
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context, certificate_file.c_str()) != 1)
    return unusable("certificate " + certificate_file);
  if (SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1)
    return unusable("private key " + key_file);
  constexpr unsigned char kSessionContext[] = "forebay";
  SSL_CTX_set_session_id_context(context, kSessionContext, sizeof kSessionContext - 1);
  return made;
}

Result<std::shared_ptr<const TlsContext>> TlsContext::client(const std::string& ca_file) {
  std::shared_ptr<const TlsContext> made{new TlsContext{new_context(TLS_client_method())}};
  SSL_CTX* context = made->native();
  ERR_clear_error();
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  const bool loaded = ca_file.empty() ? SSL_CTX_set_default_verify_paths(context) == 1
                                      : SSL_CTX_load_verify_file(context, ca_file.c_str()) == 1;
  if (!loaded)
    return unusable("certificate authorities " + (ca_file.empty() ? "of the system" : ca_file));
  return made;
}

}  // namespace forebay::net
