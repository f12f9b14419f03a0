#include <forebay/config/config.hpp>

namespace forebay::config {

Config::Config() {
  s3.address = "127.0.0.1:9000";  // Loopback until somebody says otherwise.
}

}  // namespace forebay::config
