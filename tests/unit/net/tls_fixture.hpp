#pragma once
// A certificate made for the test that asks, and a blocking TLS client that is not ours.
#include "net_fixture.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace forebay::net::testing {

/// A self-signed certificate and its key, in files that go with it.
class TestCertificate {
 public:
  explicit TestCertificate(const char* alternative_names = "DNS:localhost,IP:127.0.0.1") {
    std::string pattern = ::testing::TempDir() + "forebay-tls-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME* name = X509_get_subject_name(certificate);
    const auto* common_name = reinterpret_cast<const unsigned char*>("localhost");
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common_name, -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_EXTENSION* names =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, alternative_names);
    X509_add_ext(certificate, names, -1);
    X509_EXTENSION_free(names);
    X509_sign(certificate, key, EVP_sha256());
    write(certificate_file(), [certificate](FILE* f) { PEM_write_X509(f, certificate); });
    write(key_file(),
          [key](FILE* f) { PEM_write_PrivateKey(f, key, nullptr, nullptr, 0, nullptr, nullptr); });
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  TestCertificate(const TestCertificate&) = delete;
  TestCertificate& operator=(const TestCertificate&) = delete;
  ~TestCertificate() { std::filesystem::remove_all(folder_); }

  std::string certificate_file() const { return folder_ + "/certificate.pem"; }
  std::string key_file() const { return folder_ + "/key.pem"; }

 private:
  template <class Writer>
  static void write(const std::string& path, Writer writer) {
    FILE* file = std::fopen(path.c_str(), "w");
    writer(file);
    std::fclose(file);
  }

  std::string folder_;
};

inline ListenConfig loopback(const TestCertificate& certificate) {
  ListenConfig config = loopback();
  config.certificate_file = certificate.certificate_file();
  config.key_file = certificate.key_file();
  return config;
}

class RawTlsClient {
 public:
  /// `max_fragment`: TLSEXT_max_fragment_length_512 and the like (RFC 6066 section 4).
  explicit RawTlsClient(std::uint16_t port, int version = TLS1_3_VERSION, int receive_buffer = 0,
                        std::uint8_t max_fragment = TLSEXT_max_fragment_length_DISABLED)
      : socket_{port, receive_buffer}, context_{SSL_CTX_new(TLS_client_method()), SSL_CTX_free} {
    SSL_CTX_set_min_proto_version(context_.get(), version);
    SSL_CTX_set_max_proto_version(context_.get(), version);
    // The tests look at bad ends themselves.
    SSL_CTX_set_security_level(context_.get(), 0);
    SSL_CTX_set_tlsext_max_fragment_length(context_.get(), max_fragment);
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), socket_.descriptor());
    connected_ = SSL_connect(ssl_.get()) == 1;
  }

  bool connected() const { return connected_; }
  RawClient& socket() { return socket_; }

  bool send(std::string_view text) {
    return SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size())) ==
           static_cast<int>(text.size());
  }
  std::string receive_all() {
    std::string all;
    std::array<char, 16384> buffer;
    int got = 0;
    while ((got = SSL_read(ssl_.get(), buffer.data(), buffer.size())) > 0)
      all.append(buffer.data(), static_cast<std::size_t>(got));
    ended_orderly_ = SSL_get_error(ssl_.get(), got) == SSL_ERROR_ZERO_RETURN;
    return all;
  }
  /// Whether receive_all() met close_notify.
  bool ended_orderly() const { return ended_orderly_; }
  void close_notify() { SSL_shutdown(ssl_.get()); }

 private:
  RawClient socket_;
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;
  std::unique_ptr<SSL, void (*)(SSL*)> ssl_{nullptr, SSL_free};
  bool connected_ = false;
  bool ended_orderly_ = false;
};

}  // namespace forebay::net::testing
