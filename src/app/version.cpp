#include "app/version.hpp"

#include <string_view>

#include <boost/version.hpp>
#include <fmt/format.h>
#include <openssl/crypto.h>

namespace forebay::app {
namespace {

// From CMakeLists.txt.
constexpr std::string_view kVersion = FOREBAY_VERSION;
constexpr std::string_view kCommit = FOREBAY_COMMIT;
constexpr std::string_view kLiburing = FOREBAY_LIBURING_VERSION;

}  // namespace

std::string version() {
  return kCommit.empty() ? std::string{kVersion} : fmt::format("{} ({})", kVersion, kCommit);
}

std::string version_text() {
  return fmt::format("forebay {}\ncompiler: {}\nBoost: {}.{}.{}\nOpenSSL: {}\nliburing: {}\n",
                     version(), __VERSION__, BOOST_VERSION / 100'000, BOOST_VERSION / 100 % 1'000,
                     BOOST_VERSION % 100, OpenSSL_version(OPENSSL_VERSION), kLiburing);
}

}  // namespace forebay::app
