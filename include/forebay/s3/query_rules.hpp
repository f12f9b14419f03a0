#pragma once
// What a query may say, so that the origin reads in it what this node has read. Pure.
#include <forebay/http/uri.hpp>
#include <forebay/s3/error.hpp>

#include <optional>
#include <span>
#include <string_view>

namespace forebay::s3 {

/// No request of S3 has more.
inline constexpr std::size_t kParametersMax = 128;

/// What is wrong with the parameters of a request that this node is to sign for, or nullopt.
/// invalid_argument for a name that holds '=', '&', '+', a blank or a control character once it is
/// decoded (a server that decodes first reads another parameter in it), for one of the parameters
/// of has_repeated_parameter, and for more than kParametersMax.
std::optional<Failure> check_parameters(std::span<const http::QueryParameter> query);

/// Whether a parameter is there twice of which one value decides: versionId, partNumber, uploadId,
/// response-*, and those that sign a URL. Servers do not agree on which.
bool has_repeated_parameter(std::span<const http::QueryParameter> query);

/// Whether a parameter that SigV2 leaves unsigned changes no more than which part of a list is
/// sent: what whoever holds the URL of a list may choose before any origin.
bool may_stay_unsigned(std::string_view name);

}  // namespace forebay::s3
