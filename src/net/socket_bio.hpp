#pragma once
#include "net/socket.hpp"

struct bio_st;

namespace forebay::net {

/// An OpenSSL BIO over `socket`, which must outlive it. OpenSSL's own socket BIO raises SIGPIPE.
/// Throws std::bad_alloc.
bio_st* make_socket_bio(Socket& socket);

}  // namespace forebay::net
