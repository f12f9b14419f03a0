#include <forebay/base/errc.hpp>

#include <string>

namespace forebay {
namespace {

const char* describe(Errc e) {
  switch (e) {
    case Errc::timeout:
      return "deadline exceeded";
    case Errc::closed:
      return "connection closed";
    case Errc::truncated:
      return "body ended early";
    case Errc::protocol:
      return "protocol violation";
    case Errc::too_large:
      return "too large";
    case Errc::overloaded:
      return "overloaded";
    case Errc::unavailable:
      return "origin unavailable";
    case Errc::refused:
      return "refused by the origin";
    case Errc::redirected:
      return "redirected to a host that origin.redirect_hosts does not allow";
    case Errc::changed:
      return "object changed";
    case Errc::not_found:
      return "not found";
    case Errc::corrupt:
      return "checksum mismatch";
    case Errc::device_failed:
      return "device failed";
    case Errc::invalid_config:
      return "invalid configuration";
    case Errc::cancelled:
      return "cancelled";
  }
  return "unknown error";
}

class Category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "forebay"; }
  std::string message(int value) const override { return describe(static_cast<Errc>(value)); }
};

}  // namespace

const boost::system::error_category& errc_category() noexcept {
  static const Category category;
  return category;
}

Error make_error_code(Errc e) noexcept {
  return {static_cast<int>(e), errc_category()};
}

bool is_retryable(const Error& error) noexcept {
  return error == Errc::timeout || error == Errc::closed || error == Errc::truncated ||
         error == Errc::overloaded || error == Errc::unavailable;
}

}  // namespace forebay
