#include "net/socket_bio.hpp"

#include <forebay/base/errc.hpp>

#include <new>

#include <openssl/bio.h>

namespace forebay::net {
namespace {

Socket& socket_of(BIO* bio) {
  return *static_cast<Socket*>(BIO_get_data(bio));
}

int read(BIO* bio, char* data, std::size_t size, std::size_t* got) {
  BIO_clear_retry_flags(bio);
  const auto result = socket_of(bio).try_receive({reinterpret_cast<std::byte*>(data), size});
  *got = result ? result.value() : 0;
  if (result && *got == 0)
    BIO_set_retry_read(bio);
  return *got != 0;
}

int write(BIO* bio, const char* data, std::size_t size, std::size_t* put) {
  BIO_clear_retry_flags(bio);
  const ConstBytes part{reinterpret_cast<const std::byte*>(data), size};
  const auto result = socket_of(bio).try_send({&part, 1});
  *put = result ? result.value() : 0;
  if (result && *put == 0)
    BIO_set_retry_write(bio);
  return *put != 0;
}

long control(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* make_method() {
  BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "forebay socket");
  if (method == nullptr)
    throw std::bad_alloc{};
  BIO_meth_set_read_ex(method, read);
  BIO_meth_set_write_ex(method, write);
  BIO_meth_set_ctrl(method, control);
  return method;
}

}  // namespace

BIO* make_socket_bio(Socket& socket) {
  static BIO_METHOD* const method = make_method();
  BIO* bio = BIO_new(method);
  if (bio == nullptr)
    throw std::bad_alloc{};
  BIO_set_data(bio, &socket);
  BIO_set_init(bio, 1);
  return bio;
}

}  // namespace forebay::net
