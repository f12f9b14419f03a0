#include "config/reader.hpp"

#include <forebay/base/errc.hpp>
#include <forebay/base/file.hpp>
#include <forebay/base/log.hpp>
#include <forebay/config/credentials.hpp>

#include <filesystem>

#include <fmt/format.h>

namespace forebay::config {
namespace {

origin::CallerKey key_of(const Record& record) {
  origin::CallerKey key;
  key.access_key = record.get<Secret>("access_key").str();
  key.secret_key = record.get<Secret>("secret_key");
  key.origin_access_key = record.get<Secret>("origin_access_key", key.access_key).str();
  key.origin_secret_key = record.get<Secret>("origin_secret_key", key.secret_key);
  key.origin_session_token = record.get<Secret>("origin_session_token");
  for (const Record& grant : record.get<std::vector<Record>>("allow"))
    key.allow.push_back(
        {.bucket = grant.get<std::string>("bucket"), .read_only = grant.get<bool>("read_only")});
  return key;
}

/// An access key of one pair with the secret of another would only fail at the origin.
void check_pair(const std::string& name, const ReadResult& read, std::vector<std::string>& errors) {
  const bool access = read.places.contains(name + ".origin_access_key");
  const bool secret = read.places.contains(name + ".origin_secret_key");
  if (access == secret)
    return;
  const std::string missing = access ? "origin_secret_key" : "origin_access_key";
  errors.push_back(error_line(read.places.at(name), name + "." + missing, "missing",
                              "origin_access_key and origin_secret_key, both or neither"));
}

}  // namespace

ParsedCredentials parse_credentials(std::string_view text, const std::string& name) {
  ReadResult read =
      read_document(text, {.name = name, .directory = "/", .secret = true}, credentials_schema());
  report_missing(credentials_schema(), read);
  ParsedCredentials parsed;
  const auto records = read.record.get<std::vector<Record>>("credentials");
  for (std::size_t i = 0; i < records.size(); ++i) {
    const std::string entry = fmt::format("credentials[{}]", i);
    check_pair(entry, read, read.errors);
    auto key = std::make_shared<const origin::CallerKey>(key_of(records[i]));
    const std::string access_key = key->access_key;
    if (!access_key.empty() && !parsed.keys.emplace(access_key, std::move(key)).second)
      read.errors.push_back(error_line(read.places.at(entry + ".access_key"), entry + ".access_key",
                                       "is that of an earlier entry", "each access key once"));
  }
  parsed.errors = std::move(read.errors);
  return parsed;
}

Result<origin::CallerKeys> load_credentials(const std::string& path) {
  spdlog::logger& log = log::get("config");
  auto read = read_file(path, kDocumentSizeMax);
  if (!read) {
    log.error("{}: cannot be read: {}", path, read.error().message());
    return Errc::invalid_config;
  }
  const Secret text{std::move(read).value()};
  ParsedCredentials parsed = parse_credentials(text, path);
  for (const std::string& error : parsed.errors)
    log.error("{}", error);
  if (!parsed.errors.empty())
    return Errc::invalid_config;
  return std::move(parsed.keys);
}

}  // namespace forebay::config
