#pragma once
// Beast's parser, on complete heads only.
#include <forebay/base/result.hpp>
#include <forebay/http/message.hpp>

#include <cstddef>
#include <span>

namespace forebay::net {

/// `bytes` is one whole head, as HeadScanner found it. Errc::protocol for anything else.
Result<http::RequestHead> parse_request_head(std::span<const std::byte> bytes);
Result<http::ResponseHead> parse_response_head(std::span<const std::byte> bytes);

}  // namespace forebay::net
