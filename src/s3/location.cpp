#include <forebay/s3/location.hpp>

#include <algorithm>
#include <utility>

namespace forebay::s3 {
namespace {

constexpr std::string_view kTag = "<Location>";

/// The length of the longest end of `text` that `pattern` begins with, short of all of it.
std::size_t overlap(std::string_view text, std::string_view pattern) {
  std::size_t size = std::min(text.size(), pattern.size() - 1);
  while (size != 0 && !pattern.starts_with(text.substr(text.size() - size)))
    --size;
  return size;
}

}  // namespace

LocationFilter::LocationFilter(std::string_view origin, std::string_view client) {
  from_.append(kTag).append(origin).append("/");
  to_.append(kTag).append(client).append("/");
}

std::string LocationFilter::feed(std::string_view piece) {
  std::string text = std::exchange(held_, {});
  text += piece;
  if (done_)
    return text;
  if (const auto at = text.find(from_); at != std::string::npos) {
    done_ = true;
    return text.replace(at, from_.size(), to_);
  }
  const std::size_t held = overlap(text, from_);
  held_ = text.substr(text.size() - held);
  text.resize(text.size() - held);
  return text;
}

std::string LocationFilter::finish() {
  return std::exchange(held_, {});
}

std::string LocationFilter::replace(std::string_view url) const {
  const auto from = std::string_view{from_}.substr(kTag.size());
  std::string result{url};
  if (url.starts_with(from))
    result.replace(0, from.size(), to_, kTag.size());
  return result;
}

}  // namespace forebay::s3
