#include "config/reader.hpp"

#include "config/text.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

namespace forebay::config {
namespace {

/// The map in hand: which keys it may hold, and what it is called.
struct Scope {
  std::span<const Key> keys;
  std::string prefix;  ///< In the table: "listen." or "".
  std::string shown;   ///< In errors: "listen." or "cache.devices[0]."
};

/// Letters to insert, drop, replace or swap with their neighbour.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      const std::size_t replaced = d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

std::string_view last_part(std::string_view name) {
  return name.substr(name.rfind('.') + 1);
}

class Reader {
 public:
  explicit Reader(const Source& source) : source_{source} {}

  ReadResult take() { return std::move(result_); }

  void syntax_error(const SyntaxError& error) {
    result_.errors.push_back(fmt::format("{}: {}", at(error.place), error.message));
  }

  Record read_map(const Node& node, const Scope& scope) {
    Record record;
    read_entries(node, scope, record);
    return record;
  }

  void note_place(const std::string& name, Place place) { result_.places[name] = at(place); }

  bool expect_map(const Node& node, const Scope& scope, const std::string& name) {
    // A section whose keys are all commented out is null.
    if (node.kind == Node::Kind::map || node.kind == Node::Kind::null)
      return true;
    report(node.place, name, misplaced(node, "map"), "a map with the keys " + joined(scope));
    return false;
  }

  void require(const Scope& scope, Place place) {
    for (const Key& key : scope.keys) {
      const std::string name{key.name};
      if (key.required && !result_.places.contains(scope.shown + name))
        report(place, scope.shown + name, "missing", allowed(key));
    }
  }

 private:
  std::string at(Place place) const {
    return fmt::format("{}:{}:{}", source_.name, place.line, place.column);
  }

  void report(Place place, std::string_view name, std::string_view what, std::string_view may_be) {
    result_.errors.push_back(error_line(at(place), name, what, may_be));
  }

  /// `"text" is ...`, or without the text where it may be a secret.
  std::string quote(const Key& key, std::string_view text) const {
    return source_.secret ? "the value" : quoted_or_hidden(key, text);
  }

  static std::string misplaced(const Node& node, std::string_view wanted) {
    constexpr std::string_view kKinds[] = {"empty", "a text", "a list", "a map"};
    return fmt::format("is {}, not a {}", kKinds[static_cast<std::size_t>(node.kind)], wanted);
  }

  /// Names of what may stand in this map: keys, and sections.
  static std::vector<std::string> children(const Scope& scope) {
    std::vector<std::string> names;
    for (const Key& key : scope.keys) {
      if (!key.name.starts_with(scope.prefix))
        continue;
      const std::string_view rest = key.name.substr(scope.prefix.size());
      std::string name{rest.substr(0, rest.find('.'))};
      if (names.empty() || names.back() != name)
        names.push_back(std::move(name));
    }
    return names;
  }

  static std::string joined(const Scope& scope) {
    return fmt::format("{}", fmt::join(children(scope), ", "));
  }

  /// What the writer may have meant: a child of this map, or that name in another section.
  static std::string meant(const Scope& scope, std::string_view name) {
    const auto names = children(scope);
    const std::string_view near = nearest(name, names);
    if (!near.empty())
      return scope.shown + std::string{near};
    for (const Key& key : scope.keys) {
      if (last_part(key.name) == name)
        return std::string{key.name};
    }
    return {};
  }

  void report_unknown(const Entry& entry, const Scope& scope) {
    const std::string guess = meant(scope, entry.key.text.str());
    const std::string hint = guess.empty() ? "" : fmt::format(" (did you mean {}?)", guess);
    const std::string name = scope.shown + (source_.secret ? "?" : entry.key.text.str());
    report(entry.key.place, name, "unknown key" + hint, joined(scope));
  }

  void read_entries(const Node& node, const Scope& scope, Record& record) {
    std::map<std::string, Place> seen;
    for (const Entry& entry : node.entries) {
      if (entry.key.kind != Node::Kind::scalar) {
        report(entry.key.place, scope.shown + "?", misplaced(entry.key, "key"), joined(scope));
        continue;
      }
      const std::string name = scope.prefix + entry.key.text.str();
      const auto key = std::ranges::find(scope.keys, name, &Key::name);
      const bool section = std::ranges::any_of(
          scope.keys, [&](const Key& other) { return other.name.starts_with(name + "."); });
      const bool dotted = entry.key.text.str().find('.') != std::string::npos;
      if (dotted || (key == scope.keys.end() && !section)) {
        report_unknown(entry, scope);
        continue;
      }
      const auto [first, is_first] = seen.try_emplace(name, entry.key.place);
      if (!is_first) {
        report(entry.key.place, scope.shown + entry.key.text.str(), "given twice",
               fmt::format("once, as in line {}", first->second.line));
      } else if (section) {
        read_section(entry, scope, record);
      } else {
        read_key(entry, *key, scope, record);
      }
    }
  }

  void read_section(const Entry& entry, const Scope& scope, Record& record) {
    const std::string& name = entry.key.text.str();
    const Scope inner{scope.keys, scope.prefix + name + ".", scope.shown + name + "."};
    note_place(scope.shown + name, entry.key.place);
    if (expect_map(entry.value, inner, scope.shown + name))
      read_entries(entry.value, inner, record);
  }

  void read_key(const Entry& entry, const Key& key, const Scope& scope, Record& record) {
    const std::string shown = scope.shown + entry.key.text.str();
    note_place(shown, entry.value.kind == Node::Kind::null ? entry.key.place : entry.value.place);
    auto value = read_value(entry, key, shown);
    if (value)
      record.values[std::string{key.name}] = std::move(*value);
  }

  std::optional<Value> read_value(const Entry& entry, const Key& key, const std::string& shown) {
    if (key.type == Type::text_list)
      return read_text_list(entry, key, shown);
    if (key.type == Type::map_list)
      return read_map_list(entry, key, shown);
    if (entry.value.kind != Node::Kind::scalar) {
      const Place place =
          entry.value.kind == Node::Kind::null ? entry.key.place : entry.value.place;
      report(place, shown, misplaced(entry.value, "single value"), allowed(key));
      return std::nullopt;
    }
    auto parsed = parse_scalar(key, entry.value.text, source_.directory);
    if (const auto* misfit = std::get_if<Misfit>(&parsed)) {
      report(entry.value.place, shown, quote(key, entry.value.text) + " " + misfit->what,
             allowed(key));
      return std::nullopt;
    }
    return std::get<Value>(std::move(parsed));
  }

  std::optional<Value> read_text_list(const Entry& entry, const Key& key,
                                      const std::string& shown) {
    if (!expect_list(entry, key, shown))
      return std::nullopt;
    std::vector<std::string> texts;
    for (const Node& item : entry.value.items) {
      if (item.kind == Node::Kind::scalar && !item.text.empty())
        texts.push_back(item.text.str());
      else
        report(item.place, shown, "an entry is no text, or empty", allowed(key));
    }
    return texts;
  }

  std::optional<Value> read_map_list(const Entry& entry, const Key& key, const std::string& shown) {
    if (!expect_list(entry, key, shown))
      return std::nullopt;
    std::vector<Record> records;
    for (const Node& item : entry.value.items) {
      const std::string name = fmt::format("{}[{}]", shown, records.size());
      const Scope scope{key.items, "", name + "."};
      note_place(name, item.place);
      records.emplace_back();
      if (!expect_map(item, scope, name))
        continue;
      records.back() = read_map(item, scope);
      require(scope, item.place);
    }
    return records;
  }

  bool expect_list(const Entry& entry, const Key& key, const std::string& shown) {
    const Node& node = entry.value;
    if (node.kind != Node::Kind::list) {
      const Place place = node.kind == Node::Kind::null ? entry.key.place : node.place;
      report(place, shown, misplaced(node, "list"), allowed(key));
      return false;
    }
    if (count_fits(key, node.items.size()))
      return true;
    report(node.place, shown, "has too few entries", allowed(key));
    return false;
  }

  const Source& source_;
  ReadResult result_;
};

}  // namespace

std::string error_line(std::string_view place, std::string_view name, std::string_view what,
                       std::string_view may_be) {
  return fmt::format("{}: {}: {}; allowed: {}", place, name, what, may_be);
}

std::string_view nearest(std::string_view word, std::span<const std::string> candidates) {
  // Two slips, but never more than a third of a short word.
  constexpr std::size_t kWordMax = 64;
  if (word.size() > kWordMax)
    return {};
  std::size_t best = std::min<std::size_t>(2, std::max<std::size_t>(1, word.size() / 3)) + 1;
  std::string_view found;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best) {
      best = distance;
      found = candidate;
    }
  }
  return found;
}

void report_missing(std::span<const Key> keys, ReadResult& result) {
  for (const Key& key : keys) {
    const std::string name{key.name};
    if (!key.required || result.places.contains(name))
      continue;
    const auto section = result.places.find(name.substr(0, name.find('.')));
    const auto place = section != result.places.end() ? section : result.places.find("");
    if (place != result.places.end())
      result.errors.push_back(error_line(place->second, name, "missing", allowed(key)));
  }
}

ReadResult read_document(std::string_view text, const Source& source, std::span<const Key> keys) {
  Reader reader{source};
  auto document = parse_document(text);
  if (const auto* error = std::get_if<SyntaxError>(&document)) {
    reader.syntax_error(*error);
    return reader.take();
  }
  const Node& root = std::get<Node>(document);
  const Scope scope{keys, "", ""};
  reader.note_place("", root.place);
  Record record;
  if (reader.expect_map(root, scope, "the document"))
    record = reader.read_map(root, scope);
  ReadResult result = reader.take();
  result.record = std::move(record);
  return result;
}

}  // namespace forebay::config
