#pragma once
// A whole file as text.
#include <forebay/base/result.hpp>

#include <cstddef>
#include <string>

namespace forebay {

/// At most one byte more than `size_max`, so that a caller with that limit notices. The error is
/// the system's (errno).
Result<std::string> read_file(const std::string& path, std::size_t size_max);

}  // namespace forebay
