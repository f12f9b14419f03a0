#include "config/checks.hpp"
#include "config/reader.hpp"
#include "config/text.hpp"

#include <forebay/base/file.hpp>
#include <forebay/base/secret.hpp>
#include <forebay/base/secret_file.hpp>
#include <forebay/config/load.hpp>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>
#include <unistd.h>

namespace forebay::config {
namespace {

constexpr std::string_view kPrefix = "FOREBAY_";

/// Warns of a variable that no scalar key answers to: nobody would notice that it does nothing.
std::string unknown_variable(const std::string& name) {
  std::vector<std::string> known;
  for (const Key& key : schema()) {
    if (is_scalar(key))
      known.push_back(environment_name(key));
    else if (environment_name(key) == name)
      return fmt::format("{}: {} is a list and can be set in the file only", name, key.name);
  }
  const std::string_view near = nearest(name, known);
  return near.empty() ? fmt::format("{}: no such setting", name)
                      : fmt::format("{}: no such setting (did you mean {}?)", name, near);
}

/// Replaces what the file says by what the environment says.
void apply_environment(const Environment& environment, ReadResult& read,
                       std::vector<std::string>& warnings) {
  for (const auto& [name, text] : environment) {
    if (!name.starts_with(kPrefix))
      continue;
    const auto key = std::ranges::find_if(schema(), [&](const Key& candidate) {
      return is_scalar(candidate) && environment_name(candidate) == name;
    });
    if (key == schema().end()) {
      warnings.push_back(unknown_variable(name));
      continue;
    }
    const std::string dotted{key->name};
    read.places[dotted] = name;
    auto parsed = parse_scalar(*key, text, std::filesystem::current_path().string());
    if (const auto* misfit = std::get_if<Misfit>(&parsed))
      read.errors.push_back(
          error_line(name, dotted, fmt::format("{} {}", quoted_or_hidden(*key, text), misfit->what),
                     allowed(*key)));
    else
      read.record.values[dotted] = std::get<Value>(std::move(parsed));
  }
}

/// Settings that more than one room needs.
void share_settings(Config& config) {
  config.proxy.access_log = config.log.access;
  config.cache.wait = config.proxy.wait;
  config.origin.wait = config.proxy.wait;
  config.fill_credentials.region = config.origin.region;
}

/// Secrets may stand in the file only where others can neither read nor change it.
void refuse_exposed_secrets(const std::string& path, ReadResult& read) {
  const auto unfit = why_unfit_for_secrets(path);
  for (const Key& key : schema()) {
    const std::string name{key.name};
    const auto value = read.record.values.find(name);
    if (!unfit || !key.secret || value == read.record.values.end() ||
        text_of(value->second).empty())
      continue;
    read.errors.push_back(
        fmt::format("{}: {}: a secret, in a file that is unfit for it: {}. To mend it: chmod 0600 "
                    "{}, or put the secret into the environment ({})",
                    read.places.at(name), name, *unfit, path, environment_name(key)));
  }
}

Loaded understand(ReadResult read, const Environment& environment) {
  Loaded loaded;
  apply_environment(environment, read, loaded.warnings);
  report_missing(schema(), read);
  for (const Key& key : schema()) {
    const auto value = read.record.values.find(std::string{key.name});
    if (value != read.record.values.end())
      key.access.set(loaded.config, value->second);
  }
  share_settings(loaded.config);
  loaded.errors = std::move(read.errors);
  std::ranges::move(check(loaded.config, read.places), std::back_inserter(loaded.errors));
  return loaded;
}

}  // namespace

Loaded load_text(std::string_view text, const std::string& name, const std::string& directory,
                 const Environment& environment) {
  return understand(read_document(text, {.name = name, .directory = directory}, schema()),
                    environment);
}

Loaded load(const std::string& path, const Environment& environment) {
  auto text = read_file(path, kDocumentSizeMax);
  if (!text) {
    Loaded failed;
    failed.errors.push_back(fmt::format("{}: cannot be read: {}", path, text.error().message()));
    return failed;
  }
  const auto directory = std::filesystem::absolute(path).parent_path().string();
  const Secret document{std::move(text).value()};
  ReadResult read = read_document(document, {.name = path, .directory = directory}, schema());
  refuse_exposed_secrets(path, read);
  return understand(std::move(read), environment);
}

Environment process_environment() {
  Environment found;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view entry{*variable};
    const auto equals = entry.find('=');
    if (entry.starts_with(kPrefix) && equals != std::string_view::npos)
      found.emplace(entry.substr(0, equals), entry.substr(equals + 1));
  }
  return found;
}

}  // namespace forebay::config
