#include "config/schema.hpp"

#include "config/text.hpp"

#include <forebay/config/load.hpp>

#include <cmath>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace forebay::config {
namespace {

using testing::IsEmpty;

/// A valid text that is not the default.
std::string another_value(const Key& key) {
  static const Config defaults;
  const Value current = key.access.get(defaults);
  switch (key.type) {
    case Type::text:
      return "another";
    case Type::enumeration:
      for (const std::string_view choice : key.choices) {
        if (choice != std::get<std::string>(current))
          return std::string{choice};
      }
      return std::string{key.choices.front()};
    case Type::size:
    case Type::integer:
      return std::to_string(std::get<std::uint64_t>(current) + 1);
    case Type::duration:
      return std::to_string(std::get<milliseconds>(current).count() - 1) + "ms";
    case Type::number:
      return "0.75";
    case Type::boolean:
      return std::get<bool>(current) ? "false" : "true";
    case Type::host_port:
      return "192.0.2.1:" + std::to_string(1000 + key.name.size());
    case Type::url:
      return "https://origin.example";
    case Type::path:
      return "/another/path";
    default:
      return {};
  }
}

/// What a key's value must be once `text` was given for it.
std::string read_back(const Key& key, const Config& config) {
  return format_scalar(key, key.access.get(config));
}

std::string canonical(const Key& key, const std::string& text) {
  const auto parsed = parse_scalar(key, text, "/");
  return format_scalar(key, std::get<Value>(parsed));
}

/// Every other key still has its default.
void expect_defaults_but(std::string_view changed, const Config& config) {
  static const Config defaults;
  for (const Key& key : schema()) {
    if (key.name == changed || !is_scalar(key) || key.shown_by_example)
      continue;
    // One of the two would be refused alone.
    if (changed.starts_with("listen.tls_") && key.name.starts_with("listen.tls_"))
      continue;
    SCOPED_TRACE(key.name);
    EXPECT_EQ(read_back(key, config), read_back(key, defaults));
  }
}

std::string as_yaml(std::string_view name, const std::string& text) {
  std::string yaml;
  std::string ends;
  for (auto dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.')) {
    yaml += std::string{name.substr(0, dot)} + ": {";
    ends += '}';
    name.remove_prefix(dot + 1);
  }
  yaml += "\"" + std::string{name} + "\": \"" + text + "\"";
  if (name == "tls_certificate" || name == "tls_private_key") {
    yaml += name.ends_with("key") ? ", tls_certificate" : ", tls_private_key";
    yaml += ": /other.pem";
  }
  return yaml + ends + "\n";
}

/// A key of origin.fill_credentials alone is understood, but no whole.
void expect_understood(const Key& key, const Loaded& loaded) {
  if (key.name.starts_with("origin.fill_credentials."))
    EXPECT_THAT(loaded.errors, testing::Each(testing::HasSubstr(", while ")));
  else
    EXPECT_THAT(loaded.errors, IsEmpty());
}

TEST(Schema, EveryScalarKeyReachesItsFieldAndNoOther) {
  for (const Key& key : schema()) {
    if (!is_scalar(key))
      continue;
    SCOPED_TRACE(key.name);
    const std::string text = another_value(key);
    std::string yaml = as_yaml(key.name, text);
    if (!key.name.starts_with("auth."))
      yaml += "auth: {credentials_file: /keys.yaml}\n";
    const Environment environment =
        key.shown_by_example ? Environment{} : Environment{{"FOREBAY_AUTH_CREDENTIALS_FILE", "/k"}};
    const Loaded loaded = load_text(yaml, "f.yaml", "/", environment);
    expect_understood(key, loaded);
    EXPECT_EQ(read_back(key, loaded.config), canonical(key, text));
    expect_defaults_but(key.name, loaded.config);
  }
}

TEST(Schema, EveryScalarKeyHasAVariable) {
  for (const Key& key : schema()) {
    if (!is_scalar(key))
      continue;
    SCOPED_TRACE(key.name);
    const std::string text = another_value(key);
    Environment environment{{"FOREBAY_AUTH_CREDENTIALS_FILE", "/keys.yaml"}};
    if (key.name.starts_with("listen.tls_")) {
      environment["FOREBAY_LISTEN_TLS_CERTIFICATE"] = "/c.pem";
      environment["FOREBAY_LISTEN_TLS_PRIVATE_KEY"] = "/k.pem";
    }
    environment[environment_name(key)] = text;
    const Loaded loaded = load_text("", "f.yaml", "/", environment);
    expect_understood(key, loaded);
    EXPECT_THAT(loaded.warnings, IsEmpty());
    EXPECT_EQ(read_back(key, loaded.config), canonical(key, text));
  }
}

TEST(Schema, NamesAVariableByItsKey) {
  EXPECT_EQ(environment_name(schema()[0]), "FOREBAY_LISTEN_S3");
}

TEST(Schema, IsComplete) {
  std::set<std::string_view> names;
  std::set<std::string> variables;
  std::set<std::string_view> section_names;
  for (const Section& section : sections())
    section_names.insert(section.name);
  for (const Key& key : schema()) {
    SCOPED_TRACE(key.name);
    EXPECT_TRUE(names.insert(key.name).second);
    EXPECT_TRUE(variables.insert(environment_name(key)).second);
    EXPECT_TRUE(section_names.contains(key.name.substr(0, key.name.find('.'))));
    EXPECT_FALSE(key.help.empty());
    EXPECT_TRUE(key.access.get && key.access.set);
    EXPECT_EQ(key.type == Type::enumeration, !key.choices.empty());
    EXPECT_EQ(key.type == Type::map_list, !key.items.empty());
    const bool bounded = key.type == Type::size || key.type == Type::duration ||
                         key.type == Type::integer || key.type == Type::number;
    EXPECT_TRUE(!bounded || std::isfinite(key.bounds.max));
  }
}

TEST(Schema, DefaultsAreWithinTheirOwnBounds) {
  static const Config defaults;
  for (const Key& key : schema()) {
    if (!is_scalar(key) || key.required)
      continue;
    SCOPED_TRACE(key.name);
    const Value value = key.access.get(defaults);
    const auto* text = std::get_if<std::string>(&value);
    const auto parsed = parse_scalar(key, text != nullptr ? *text : format_scalar(key, value), "/");
    EXPECT_TRUE(std::holds_alternative<Value>(parsed));
  }
}

TEST(Schema, QuotesWhatYamlWouldReadOtherwise) {
  const std::pair<std::string, std::string> kCases[] = {
      {"plain", "plain"},
      {"127.0.0.1:9000", "127.0.0.1:9000"},
      {"", "\"\""},
      {"-", "\"-\""},
      {"a: b", "\"a: b\""},
      {"a:", "\"a:\""},
      {"*", "\"*\""},
      {"null", "\"null\""},
      {"a\"b", "\"a\\\"b\""},
      {"a\\b", "\"a\\\\b\""},
      {"[::1]:1", "\"[::1]:1\""},
      {"a\nb\t\x7f", "\"a\\x0ab\\x09\\x7f\""},
  };
  for (const auto& [text, quoted] : kCases) {
    SCOPED_TRACE(text);
    EXPECT_EQ(quoted_where_needed(text), quoted);
  }
}

}  // namespace
}  // namespace forebay::config
