// Error bodies of an origin, and this node's own: what is written is read back.
#include "entry.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/s3/error.hpp>

namespace forebay::fuzz {

void check(std::string_view input) {
  for (const char* name : {"Code", "Endpoint"}) {
    const auto value = s3::error_field(input, name);
    ASSERT(!value || (!value->empty() && value->size() <= 4 * input.size()));
  }
  const s3::Failure failure{
      s3::ErrorCode::invalid_argument, "message", {{"ArgumentName", std::string{input}}}};
  const std::string xml = s3::to_xml(failure, input, "0123456789ABCDEF");
  ASSERT(s3::error_field(xml, "Code") == "InvalidArgument");
  ASSERT(s3::error_field(xml, "RequestId") == "0123456789ABCDEF");
  const bool printable =
      std::all_of(input.begin(), input.end(), [](char c) { return c > ' ' && c <= '~'; });
  if (printable && !input.empty())
    ASSERT(s3::error_field(xml, "ArgumentName") == input);
}

}  // namespace forebay::fuzz
