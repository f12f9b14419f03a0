#include "config/text.hpp"

#include <forebay/config/render.hpp>

#include <fmt/format.h>

namespace forebay::config {
namespace {

constexpr std::size_t kColumns = 100;

/// `text` as comment lines of at most kColumns columns.
std::string comment(std::string_view indent, std::string_view text) {
  std::string lines;
  std::string line;
  const auto end_line = [&] {
    if (!line.empty())
      lines += fmt::format("{}#{}\n", indent, line);
    line.clear();
  };
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    if (indent.size() + 2 + line.size() + word.size() > kColumns)
      end_line();
    line += ' ';
    line += word;
    text.remove_prefix(std::min(text.size(), word.size() + 1));
  }
  end_line();
  return lines;
}

std::string format_record(const Key& list, const Record& record) {
  std::vector<std::string> pairs;
  for (const Key& item : list.items) {
    const auto value = record.values.find(std::string{item.name});
    if (value != record.values.end())
      pairs.push_back(fmt::format("{}: {}", item.name, format_scalar(item, value->second)));
  }
  return fmt::format("{{{}}}", fmt::join(pairs, ", "));
}

std::string format_value(const Key& key, const Value& value) {
  std::vector<std::string> items;
  if (key.type == Type::text_list) {
    for (const std::string& text : std::get<std::vector<std::string>>(value))
      items.push_back(quoted_where_needed(text));
  } else if (key.type == Type::map_list) {
    for (const Record& record : std::get<std::vector<Record>>(value))
      items.push_back(format_record(key, record));
  } else {
    return format_scalar(key, value);
  }
  return fmt::format("[{}]", fmt::join(items, ", "));
}

/// The value, or the example where that says more than nothing.
std::string shown_value(const Key& key, const Config& config) {
  const Value value = key.access.get(config);
  if (key.shown_by_example && std::get<std::string>(value).empty())
    return std::string{key.example};
  return format_value(key, value);
}

/// A list of kinds of files would only tire the reader: what the type says by itself is left out.
bool worth_saying(const Key& key) {
  return key.type != Type::host_port && key.type != Type::path && key.type != Type::text_list &&
         key.type != Type::map_list && !(key.type == Type::text && key.bounds.min == 0);
}

std::string help_with_bounds(const Key& key) {
  std::string text{key.help};
  if (worth_saying(key))
    text += fmt::format(" Allowed: {}.", allowed_briefly(key));
  return text;
}

/// A secret that is set leaves its key without a value, so that the text is not taken for the
/// whole configuration.
std::string render_line(const Key& key, std::string_view name, const Config& config) {
  if (key.secret && !text_of(key.access.get(config)).empty())
    return fmt::format("# {}: set, and not shown\n", name);
  return fmt::format("{}: {}\n", name, shown_value(key, config));
}

/// `indent` is that of the map the key stands in.
std::string render_key(const Key& key, std::string_view name, std::string_view indent,
                       const Config& config) {
  std::string text = comment(indent, help_with_bounds(key));
  for (const Key& item : key.items)
    text += comment(indent, fmt::format("- {}{}: {}", item.name, item.required ? "" : " (optional)",
                                        help_with_bounds(item)));
  if (!key.example.empty() && !key.shown_by_example)
    text += comment(indent, fmt::format("Example: {}: {}", name, key.example));
  return text + std::string{indent} + render_line(key, name, config);
}

std::string cell(std::string text) {
  for (std::size_t at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2))
    text.insert(at, "\\");
  return text;
}

std::string default_cell(const Key& key) {
  if (key.required)
    return "required";
  if (!key.access.get)
    return "";
  static const Config defaults;
  return fmt::format("`{}`", format_value(key, key.access.get(defaults)));
}

/// What stands in the last column besides the help.
std::string meaning(const Key& key) {
  std::string text{key.help};
  if (!key.example.empty())
    text += fmt::format(" Example: `{}`.", key.example);
  if (key.reload)
    text += " Changes of the file are noticed within a second, without a restart.";
  return cell(text);
}

std::string item_table(const Key& list) {
  std::string text = fmt::format(
      "\nEach map of `{}`:\n\n| key | allowed | meaning |\n| --- | --- | --- |\n", list.name);
  for (const Key& item : list.items)
    text += fmt::format("| `{}`{} | {} | {} |\n", item.name, item.required ? " (required)" : "",
                        cell(allowed_briefly(item)), meaning(item));
  for (const Key& item : list.items) {
    if (!item.items.empty())
      text += item_table(item);
  }
  return text;
}

std::string render_section(const Section& section) {
  const std::string prefix = std::string{section.name} + ".";
  std::string text = fmt::format(
      "\n## {}\n\n{}\n\n| key | default | allowed | meaning |\n| --- | --- | --- | --- |\n",
      section.name, section.help);
  std::string lists;
  for (const Key& key : schema()) {
    if (!key.name.starts_with(prefix))
      continue;
    text += fmt::format("| `{}` | {} | {} | {} |\n", key.name, cell(default_cell(key)),
                        cell(allowed_briefly(key)), meaning(key));
    if (!key.items.empty())
      lists += item_table(key);
  }
  return text + lists;
}

constexpr std::string_view kFileIntroduction =
    "# Forebay's configuration: every key with its default.\n"
    "#\n"
    "# Written by `forebay serve --print-config`. All but auth.credentials_file may be left out.\n"
    "# Relative paths mean the directory of this file. Every key with a single value can also be\n"
    "# set by a variable of the environment: FOREBAY_ and the key in upper case, dots as\n"
    "# underscores (origin.endpoint: FOREBAY_ORIGIN_ENDPOINT).\n"
    "#\n"
    "# Sizes are bytes, or a number with KiB, MiB, GiB, TiB (powers of 1024) or KB, MB, GB, TB\n"
    "# (powers of 1000); durations a number with ms, s, m, h or d.\n";

constexpr std::string_view kReferenceIntroduction = R"(# Configuration

<!-- Generated by `forebay docs configuration` from src/config/schema.cpp: change it there. -->

`forebay serve --config FILE` reads one YAML file. `forebay serve --print-config` prints every key
with its default and its help (the same as [config/forebay.yaml](../config/forebay.yaml));
`forebay serve --config FILE --check-config` names everything that is wrong with a file, each with
line, column and what is allowed, and says how much memory the configuration may take.

The least that works:

```yaml
listen: { s3: 127.0.0.1:9000, admin: 127.0.0.1:9001 }
origin: { endpoint: "http://127.0.0.1:7480", region: us-east-1 }
auth:   { credentials_file: credentials.yaml }
cache:  { devices: [ { path: slab0, size: 8GiB } ] }
memory: { pool_size: 1GiB }
```

Relative paths mean the directory of the file. Every key with a single value can also be set by a
variable of the environment, which wins over the file: `FOREBAY_` and the key in upper case, dots as
underscores (`origin.endpoint`: `FOREBAY_ORIGIN_ENDPOINT`). Relative paths there mean the working
directory. An unknown variable of that form is warned of. Anchors, aliases and further documents of
YAML are refused. Sizes are bytes, or a number with KiB, MiB, GiB, TiB (powers of 1024) or KB, MB,
GB, TB (powers of 1000); durations a number with ms, s, m, h or d. A change of the file takes effect
at the next start.
)";

constexpr std::string_view kCredentialsIntroduction = R"(
## The credentials file

What `auth.credentials_file` names. It is refused when world-readable or group-writable (symlinks
resolved), and read again when it changes; an invalid new version changes nothing but the log and
the metric `forebay_credentials_reload_failed`. No message about it quotes anything it holds.

```yaml
credentials:
  - access_key: AK
    secret_key: SK
    origin_access_key: OAK
    origin_secret_key: OSK
    origin_session_token: T
    allow: [ { bucket: "train-*", read_only: true } ]
```
)";

}  // namespace

std::string render_config(const Config& config) {
  std::string text{kFileIntroduction};
  for (const Section& section : sections()) {
    const std::string prefix = std::string{section.name} + ".";
    text += fmt::format("\n{}{}:\n", comment("", section.help), section.name);
    std::string_view map;  // Inside the section, of the key before.
    for (const Key& key : schema()) {
      if (!key.name.starts_with(prefix))
        continue;
      std::string_view name = key.name.substr(prefix.size());
      const auto dot = name.find('.');
      const std::string_view parent = dot == name.npos ? std::string_view{} : name.substr(0, dot);
      if (!parent.empty() && parent != map)
        text += fmt::format("  {}:\n", parent);
      map = parent;
      name.remove_prefix(parent.empty() ? 0 : dot + 1);
      text += render_key(key, name, parent.empty() ? "  " : "    ", config);
    }
  }
  return text;
}

std::string render_reference() {
  std::string text{kReferenceIntroduction};
  for (const Section& section : sections())
    text += render_section(section);
  text += kCredentialsIntroduction;
  for (const Key& key : credentials_schema())
    text += item_table(key);
  return text;
}

}  // namespace forebay::config
