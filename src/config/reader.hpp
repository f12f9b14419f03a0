#pragma once
// Reads a document against a table of keys, and collects every error on the way.
#include "config/document.hpp"
#include "config/schema.hpp"

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace forebay::config {

/// A document as it was understood.
struct ReadResult {
  Record record;
  /// "file:line:column" by full name ("listen.s3", "cache.devices[1].path"): of values that were
  /// given, of sections, and under "" of the document.
  std::map<std::string, std::string> places;
  std::vector<std::string> errors;
};

struct Source {
  std::string name;       ///< What errors call the file.
  std::string directory;  ///< What relative paths mean.
  bool secret = false;    ///< Neither values nor unknown names are quoted in errors.
};

/// Keys of the document itself that are missing are left to report_missing().
ReadResult read_document(std::string_view text, const Source& source, std::span<const Key> keys);

/// Adds an error for each required key without a place. Nothing where the document could not be
/// parsed at all.
void report_missing(std::span<const Key> keys, ReadResult& result);

/// "`place`: `name`: `what`; allowed: `may_be`"
std::string error_line(std::string_view place, std::string_view name, std::string_view what,
                       std::string_view may_be);

/// The candidate most like `word`, or "" where none is near.
std::string_view nearest(std::string_view word, std::span<const std::string> candidates);

}  // namespace forebay::config
