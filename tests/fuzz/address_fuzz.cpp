// Bucket, key and operation of a request. Input: method, Host and target, a line each, then fields.
#include "entry.hpp"

#include <forebay/base/assert.hpp>
#include <forebay/http/uri.hpp>
#include <forebay/s3/address.hpp>
#include <forebay/s3/operation.hpp>

namespace forebay::fuzz {
namespace {

void check_operation(const http::RequestHead& request, const s3::Address& address) {
  const auto target = http::split_target(request.target);
  const auto query = http::parse_query(target.query.value_or(""));
  if (!query)
    return;
  const auto operation = s3::classify(request.method, address, query.value(), request.headers);
  ASSERT(!s3::name(operation).empty());
  ASSERT(!s3::is_repeatable(operation) || !s3::is_write(operation));
  if (s3::is_plain_get_object(request.method, address, query.value()))
    ASSERT(operation == s3::Operation::get_object && address.is_object());
}

}  // namespace

void check(std::string_view input) {
  http::RequestHead request;
  request.method = take_line(input);
  request.headers.add("Host", std::string{take_line(input)});
  request.target = take_line(input);
  for (const auto& field : take_headers(input))
    request.headers.add(field.name, field.value);
  const std::string domains[] = {"s3.example", "deep.s3.example"};
  const auto address = s3::parse_address(request, domains);
  if (!address)
    return;
  ASSERT(address.value().key.size() <= request.target.size());
  ASSERT(!address.value().is_object() || !address.value().bucket.empty());
  check_operation(request, address.value());

  http::RequestHead plain;
  plain.method = request.method;
  plain.target = s3::path_style(address.value());
  const auto again = s3::parse_address(plain, domains);
  ASSERT(again && again.value().bucket == address.value().bucket);
  ASSERT(again.value().key == address.value().key);
}

}  // namespace forebay::fuzz
