#include "admin/answer.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace forebay::admin {

Answer json_error(int status, std::string_view message) {
  const boost::json::object object{{"error", message}};
  return {.status = status,
          .content_type = std::string{kJson},
          .body = boost::json::serialize(object) + "\n"};
}

}  // namespace forebay::admin
