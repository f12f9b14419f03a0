#pragma once
// Where an origin says that a bucket really is ("Redirects and temporary redirects", Amazon S3
// User Guide). Clients never see it: they would leave Forebay. Pure.
#include <forebay/http/message.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace forebay::origin {

/// 301, 302, 307, 308.
bool is_redirect(int status);

/// The host (with its port, if it has one) that a redirect names, without the bucket it may begin
/// with: by Location, by the <Endpoint> of its body, or by x-amz-bucket-region, which takes the
/// place of the one "*" in a pattern of `allowed`. nullopt where it names none that one of the
/// patterns (globs) allows.
std::optional<std::string> redirect_host(const http::ResponseHead& answer, std::string_view body,
                                         std::string_view bucket,
                                         std::span<const std::string> allowed);

/// For logs: the host that a redirect names by Location or <Endpoint>, or "no host". Nothing else
/// of it: a Location may repeat a presigned URL.
std::string named_host(const http::ResponseHead& answer, std::string_view body);

/// For logs: what of a target's first segment a bucket's name may hold, up to where it may not.
std::string_view named_bucket(std::string_view target);

/// The path's first segment, as it is encoded: the bucket of a path-style target.
std::string_view bucket_of_target(std::string_view target);

}  // namespace forebay::origin
