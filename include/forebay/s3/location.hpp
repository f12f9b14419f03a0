#pragma once
// Where an origin says that a finished upload is: by its own name. A client that does not know the
// origin is told the name that it asked. Amazon S3 API Reference, CompleteMultipartUpload and
// PostObject. Pure.
#include <string>
#include <string_view>

namespace forebay::s3 {

/// Replaces the beginning of the first <Location> of an XML body that arrives piece by piece.
class LocationFilter {
 public:
  /// Both "scheme://host[:port]".
  LocationFilter(std::string_view origin, std::string_view client);

  /// What may be sent on of all that came. Blanks before the document are never held back.
  std::string feed(std::string_view piece);
  /// The body has ended: the rest.
  std::string finish();
  /// A Location field's value, or any other URL of the origin's, as the client knows it.
  std::string replace(std::string_view url) const;

 private:
  std::string from_;  ///< "<Location>scheme://host/"
  std::string to_;
  std::string held_;  ///< The end of what came, as far as it may begin `from_`.
  bool done_ = false;
};

}  // namespace forebay::s3
