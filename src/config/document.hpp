#pragma once
// A YAML document as a plain tree with places. The parser itself is named in document.cpp alone.
#include <forebay/base/secret.hpp>
#include <forebay/base/units.hpp>

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace forebay::config {

/// Where something stands in its file; both count from 1.
struct Place {
  int line = 1;
  int column = 1;
};

struct Entry;

struct Node {
  enum class Kind { null, scalar, list, map };

  Kind kind = Kind::null;
  Place place;
  Secret text;                 ///< Kind::scalar: the text, without its quotes.
  std::vector<Node> items;     ///< Kind::list
  std::vector<Entry> entries;  ///< Kind::map, duplicates included.
};

/// One "key: value" of a map.
struct Entry {
  Node key;
  Node value;
};

/// Why a text is no document. The message quotes nothing of the text.
struct SyntaxError {
  Place place;
  std::string message;
};

/// One document of at most kDocumentSizeMax bytes, in the YAML of configuration files: no anchors,
/// no aliases, no second document. An empty text is a null node.
inline constexpr std::size_t kDocumentSizeMax = 4 * MiB;
std::variant<Node, SyntaxError> parse_document(std::string_view text);

}  // namespace forebay::config
