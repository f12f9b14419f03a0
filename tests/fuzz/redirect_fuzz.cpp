// Where a redirect leads: only to what is allowed. Input: bucket, Location and region, a line each,
// then the body.
#include "entry.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/base/glob.hpp>
#include <forebay/origin/redirect.hpp>

#include <vector>

namespace forebay::fuzz {

void check(std::string_view input) {
  const std::vector<std::string> allowed{"s3.*.amazonaws.com", "s3.example:9000"};
  const std::string_view bucket = take_line(input);
  http::ResponseHead answer;
  answer.status = 307;
  answer.headers.add("Location", std::string{take_line(input)});
  answer.headers.add("x-amz-bucket-region", std::string{take_line(input)});
  const auto host = origin::redirect_host(answer, input, bucket, allowed);
  if (host) {
    ASSERT(glob_matches(allowed[0], *host) || glob_matches(allowed[1], *host));
    ASSERT(host->find_first_of("/?#@\r\n\\ ") == std::string::npos);
  }
  ASSERT(origin::bucket_of_target(bucket).size() <= bucket.size());
}

}  // namespace forebay::fuzz
