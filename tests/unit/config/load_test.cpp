#include <forebay/config/load.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace forebay::config {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::IsEmpty;

constexpr std::string_view kLeast = "auth: {credentials_file: keys.yaml}\n";

Loaded load_plain(const std::string& text, const Environment& environment = {}) {
  return load_text(text, "f.yaml", "/etc/forebay", environment);
}

/// The text with the one required key behind it.
Loaded load_with_auth(const std::string& text, const Environment& environment = {}) {
  return load_plain(text + std::string{kLeast}, environment);
}

struct BadCase {
  const char* name;
  std::string text;
  std::vector<std::string> errors;
  bool adds_auth = true;
};

void expect_errors(const BadCase& test) {
  SCOPED_TRACE(test.name);
  const Loaded loaded = test.adds_auth ? load_with_auth(test.text) : load_plain(test.text);
  EXPECT_THAT(loaded.errors, ElementsAreArray(test.errors));
  EXPECT_THAT(loaded.warnings, IsEmpty());
}

TEST(Load, NamesPlaceKeyAndWhatIsAllowed) {
  const BadCase kCases[] = {
      {"unknown section",
       "orign: {id: x}\n",
       {"f.yaml:1:1: orign: unknown key (did you mean origin?); allowed: listen, origin, auth, "
        "cache, memory, io, prestage, limits, runtime, log"}},
      {"unknown key like another",
       "log:\n  levle: info\n",
       {"f.yaml:2:3: log.levle: unknown key (did you mean log.level?); allowed: level, access, "
        "buffer_size"}},
      {"unknown key of another section",
       "log: {pool_size: 1GiB}\n",
       {"f.yaml:1:7: log.pool_size: unknown key (did you mean memory.pool_size?); allowed: level, "
        "access, buffer_size"}},
      {"unknown key like none",
       "log: {colour: blue}\n",
       {"f.yaml:1:7: log.colour: unknown key; allowed: level, access, "
        "buffer_size"}},
      {"dotted key",
       "log.level: info\n",
       {"f.yaml:1:1: log.level: unknown key; allowed: listen, origin, auth, cache, memory, io, "
        "prestage, limits, runtime, log"},
       true},
      {"key given twice",
       "log:\n  level: info\n  access: true\n  level: warn\n",
       {"f.yaml:4:3: log.level: given twice; allowed: once, as in line 2"}},
      {"section given twice",
       "log: {level: info}\nlog: {access: true}\n",
       {"f.yaml:2:1: log: given twice; allowed: once, as in line 1"}},
      {"key that is no text",
       "? [a, b]\n: 1\n",
       {"f.yaml:1:3: ?: is a list, not a key; allowed: listen, origin, auth, cache, memory, io, "
        "prestage, limits, runtime, log"}},
      {"section that is a text",
       "memory: 1GiB\n",
       {"f.yaml:1:9: memory: is a text, not a map; allowed: a map with the keys pool_size, wait"}},
      {"value that is a list",
       "origin: {region: [a]}\n",
       {"f.yaml:1:18: origin.region: is a list, not a single value; allowed: a text of 1 to 64 "
        "characters"}},
      {"value that is empty",
       "log:\n  level:\n",
       {"f.yaml:2:3: log.level: is empty, not a single value; allowed: trace, debug, info, warn, "
        "error, off"}},
      {"empty text",
       "origin: {id: \"\"}\n",
       {"f.yaml:1:14: origin.id: \"\" is empty; allowed: a text of 1 to 64 characters"}},
      {"long text",
       "origin: {id: " + std::string(65, 'x') + "}\n",
       {"f.yaml:1:14: origin.id: \"" + std::string(65, 'x') +
        "\" is too long; allowed: a text of 1 to 64 characters"}},
      {"control character",
       "origin: {id: \"a\\nb\"}\n",
       {"f.yaml:1:14: origin.id: \"a\nb\" holds a control character; allowed: a text of 1 to 64 "
        "characters"}},
      {"no choice",
       "io: {engine: aio}\n",
       {"f.yaml:1:14: io.engine: \"aio\" is not a choice; allowed: auto, uring, pread"}},
      {"no boolean",
       "log: {access: yes}\n",
       {"f.yaml:1:15: log.access: \"yes\" is not a boolean; allowed: true, false"}},
  };
  for (const BadCase& test : kCases)
    expect_errors(test);
}

TEST(Load, HoldsNumbersToTheirForms) {
  const std::string kSizes = "allowed: a size such as 4096, 64KiB or 4MiB, ";
  const std::string kDurations = "allowed: a duration such as 250ms, 5s, 2m, 1h or 1d, ";
  const BadCase kCases[] = {
      {"no size",
       "memory: {pool_size: 1 GiB}\n",
       {"f.yaml:1:21: memory.pool_size: \"1 GiB\" is not a size; " + kSizes + "32MiB to 16TiB"}},
      {"small size",
       "memory: {pool_size: 33554431}\n",
       {"f.yaml:1:21: memory.pool_size: \"33554431\" is too small; " + kSizes + "32MiB to 16TiB"}},
      {"large size",
       "listen: {max_header_size: 2MiB}\n",
       {"f.yaml:1:27: listen.max_header_size: \"2MiB\" is too large; " + kSizes + "4KiB to 1MiB"}},
      {"no duration",
       "memory: {wait: 5}\n",
       {"f.yaml:1:16: memory.wait: \"5\" is not a duration; " + kDurations + "0s to 1h"}},
      {"short duration",
       "origin: {lookup_timeout: 9ms}\n",
       {"f.yaml:1:26: origin.lookup_timeout: \"9ms\" is too small; " + kDurations + "10ms to 1h"}},
      {"long duration",
       "origin: {lookup_timeout: 61m}\n",
       {"f.yaml:1:26: origin.lookup_timeout: \"61m\" is too large; " + kDurations + "10ms to 1h"}},
      {"no integer",
       "runtime: {workers: -1}\n",
       {"f.yaml:1:20: runtime.workers: \"-1\" is not a whole number; allowed: a whole number, 0 to "
        "1024"}},
      {"large integer",
       "runtime: {workers: 1025}\n",
       {"f.yaml:1:20: runtime.workers: \"1025\" is too large; allowed: a whole number, 0 to 1024"}},
      {"huge integer",
       "runtime: {workers: 99999999999999999999}\n",
       {"f.yaml:1:20: runtime.workers: \"99999999999999999999\" is not a whole number; allowed: a "
        "whole number, 0 to 1024"}},
      {"no number",
       "cache: {device_writes_per_day: nan}\n",
       {"f.yaml:1:32: cache.device_writes_per_day: \"nan\" is not a number; allowed: a number, 0 "
        "to 1000"}},
      {"negative number",
       "cache: {device_writes_per_day: -0.5}\n",
       {"f.yaml:1:32: cache.device_writes_per_day: \"-0.5\" is too small; allowed: a number, 0 to "
        "1000"}},
  };
  for (const BadCase& test : kCases)
    expect_errors(test);
}

TEST(Load, HoldsAddressesToTheirForms) {
  const std::string kUrl =
      "; allowed: http:// or https://, a host, and a port where it is not the scheme's own";
  const std::string kAddress = "; allowed: host:port, such as 127.0.0.1:9000 or [::1]:9000";
  const BadCase kCases[] = {
      {"address without port",
       "listen: {s3: localhost}\n",
       {"f.yaml:1:14: listen.s3: \"localhost\" is not host:port" + kAddress}},
      {"address with a huge port",
       "listen: {s3: \"localhost:65536\"}\n",
       {"f.yaml:1:14: listen.s3: \"localhost:65536\" is not host:port" + kAddress}},
      {"url without scheme",
       "origin: {endpoint: s3.example.com}\n",
       {"f.yaml:1:20: origin.endpoint: \"s3.example.com\" does not begin with http:// or https://" +
        kUrl}},
      {"url with a path",
       "origin: {endpoint: \"https://s3.example.com/base\"}\n",
       {"f.yaml:1:20: origin.endpoint: \"https://s3.example.com/base\" has more than a host and a "
        "port" +
        kUrl}},
      {"url with a bad port",
       "origin: {endpoint: \"http://h:x\"}\n",
       {"f.yaml:1:20: origin.endpoint: \"http://h:x\" has no usable host or port" + kUrl}},
      {"url with port 0",
       "origin: {endpoint: \"http://h:0\"}\n",
       {"f.yaml:1:20: origin.endpoint: \"http://h:0\" has no usable host or port" + kUrl}},
      {"url without a host",
       "origin: {endpoint: \"http://\"}\n",
       {"f.yaml:1:20: origin.endpoint: \"http://\" has no usable host or port" + kUrl}},
  };
  for (const BadCase& test : kCases)
    expect_errors(test);
}

TEST(Load, NamesTheEntryOfAList) {
  const BadCase kCases[] = {
      {"list that is a map",
       "cache: {rules: {bucket: b}}\n",
       {"f.yaml:1:16: cache.rules: is a map, not a list; allowed: a list of maps with the keys "
        "bucket, prefix, cache, prestage"}},
      {"list that is empty",
       "listen:\n  domains:\n",
       {"f.yaml:2:3: listen.domains: is empty, not a list; allowed: a list of texts"}},
      {"entry that is no text",
       "listen: {domains: [a, {b: c}]}\n",
       {"f.yaml:1:23: listen.domains: an entry is no text, or empty; allowed: a list of texts"}},
      {"entry that is no map",
       "cache: {devices: [slab0]}\n",
       {"f.yaml:1:19: cache.devices[0]: is a text, not a map; allowed: a map with the keys path, "
        "size"}},
      {"entry without a required key",
       "cache:\n  devices:\n    - {path: a, size: 1GiB}\n    - {path: b}\n",
       {"f.yaml:4:7: cache.devices[1].size: missing; allowed: a size such as 4096, 64KiB or 4MiB, "
        "64MiB to 1024TiB"}},
      {"small device",
       "cache: {devices: [{path: a, size: 63MiB}]}\n",
       {"f.yaml:1:35: cache.devices[0].size: \"63MiB\" is too small; allowed: a size such as 4096, "
        "64KiB or 4MiB, 64MiB to 1024TiB"}},
      {"unknown key of an entry",
       "cache: {rules: [{bucket: b, cahce: never}]}\n",
       {"f.yaml:1:29: cache.rules[0].cahce: unknown key (did you mean cache.rules[0].cache?); "
        "allowed: bucket, prefix, cache, prestage"}},
  };
  for (const BadCase& test : kCases)
    expect_errors(test);
}

TEST(Load, ChecksKeysAgainstEachOther) {
  const BadCase kCases[] = {
      {"certificate without key",
       "listen: {tls_certificate: c.pem}\n",
       {"f.yaml:1:27: listen.tls_private_key: missing, while listen.tls_certificate is given; "
        "allowed: both or neither"}},
      {"key without certificate",
       "listen: {tls_private_key: k.pem}\n",
       {"f.yaml:1:27: listen.tls_certificate: missing, while listen.tls_private_key is given; "
        "allowed: both or neither"}},
      {"same address twice",
       "listen: {s3: \"10.0.0.1:80\", admin: \"10.0.0.1:80\"}\n",
       {"f.yaml:1:36: listen.admin: is the address of listen.s3; allowed: another port"}},
      {"same port under a wildcard",
       "listen: {s3: 0.0.0.0:9001}\n",
       {"f.yaml:1:14: listen.admin: is the address of listen.s3; allowed: another port"}},
      {"origin that is this node",
       "origin: {endpoint: \"http://127.0.0.1:9000\"}\n",
       {"f.yaml:1:20: origin.endpoint: is the address of listen.s3; allowed: the object store, not "
        "this node"}},
      {"origin that a wildcard covers",
       "listen: {s3: \"0.0.0.0:7480\"}\norigin: {endpoint: \"http://localhost:7480\"}\n",
       {"f.yaml:2:20: origin.endpoint: is the address of listen.s3; allowed: the object store, not "
        "this node"}},
      {"same device by two names",
       "cache: {devices: [{path: a, size: 1GiB}, {path: /etc/forebay/./a, size: 1GiB}]}\n",
       {"f.yaml:1:49: cache.devices[1].path: \"/etc/forebay/a\" is given twice; allowed: each "
        "device once"}},
      {"required key missing from its section",
       "log: {level: info}\nauth: {clock_skew: 1m}\n",
       {"f.yaml:2:1: auth.credentials_file: "
        "missing, while auth.mode is verify; allowed: the file of the callers' keys, or auth.mode: "
        "passthrough"},
       false},
      {"required key missing with its section",
       "log: {level: info}\n",
       {"f.yaml:1:1: auth.credentials_file: "
        "missing, while auth.mode is verify; allowed: the file of the callers' keys, or auth.mode: "
        "passthrough"},
       false},
      {"required key empty",
       "auth: {credentials_file: \"\"}\n",
       {"f.yaml:1:26: auth.credentials_file: "
        "missing, while auth.mode is verify; allowed: the file of the callers' keys, or auth.mode: "
        "passthrough"},
       false},
  };
  for (const BadCase& test : kCases)
    expect_errors(test);
}

TEST(Load, ChecksTheNodesOwnCredentials) {
  const auto with = [](const std::string& settings, const std::string& mode = "passthrough") {
    return "auth: {mode: " + mode + "}\norigin:\n  fill_credentials: {" + settings + "}\n";
  };
  const BadCase kCases[] = {
      {"nothing", with("source: none"), {}, false},
      {"static", with("source: static, access_key: a, secret_key: s"), {}, false},
      {"half of static",
       with("source: static, access_key: a"),
       {"f.yaml:3:30: origin.fill_credentials.secret_key: missing, while source is static; "
        "allowed: a text of at most 256 characters"},
       false},
      {"file without a file",
       with("source: file, profile: p"),
       {"f.yaml:3:30: origin.fill_credentials.file: missing, while source is file; allowed: the "
        "path of a file, or \"\" for none"},
       false},
      {"another source's key",
       with("source: instance_metadata, role_arn: r"),
       {"f.yaml:3:59: origin.fill_credentials.role_arn: given, while the source is another; "
        "allowed: source: web_identity"},
       false},
      {"no source",
       with("ca_file: c"),
       {"f.yaml:3:31: origin.fill_credentials.ca_file: given, while the source is another; "
        "allowed: source: web_identity, container"},
       false},
      {"unknown source",
       with("source: ec2"),
       {"f.yaml:3:30: origin.fill_credentials.source: \"ec2\" is not a choice; allowed: none, "
        "static, environment, file, web_identity, container, instance_metadata"},
       false},
      {"a secret that is too long is not quoted",
       with("source: static, access_key: a, secret_key: " + std::string(257, 's')),
       {"f.yaml:3:65: origin.fill_credentials.secret_key: the value is too long; allowed: a text "
        "of at most 256 characters",
        "f.yaml:3:65: origin.fill_credentials.secret_key: missing, while source is static; "
        "allowed: a text of at most 256 characters"},
       false},
      {"where the callers' keys sign",
       with("source: environment", "verify, credentials_file: k"),
       {"f.yaml:3:30: origin.fill_credentials.source: given, while auth.mode is verify: fills are "
        "signed as the caller; allowed: none, or auth.mode: passthrough"},
       false},
  };
  for (const BadCase& test : kCases)
    expect_errors(test);
}

TEST(Load, QuotesNoSecretOfTheEnvironment) {
  const Loaded loaded =
      load_with_auth("", {{"FOREBAY_ORIGIN_FILL_CREDENTIALS_SECRET_KEY", std::string(300, 's')}});
  EXPECT_THAT(loaded.errors,
              ElementsAre("FOREBAY_ORIGIN_FILL_CREDENTIALS_SECRET_KEY: "
                          "origin.fill_credentials.secret_key: the value is too long; allowed: a "
                          "text of at most 256 characters"));
}

TEST(Load, ReportsAllErrorsOfAFile) {
  const Loaded loaded = load_plain("log: {level: loud, access: 1}\nmemory: {pool_size: x}\n");
  ASSERT_EQ(loaded.errors.size(), 4U);
  EXPECT_THAT(loaded.errors[0], testing::StartsWith("f.yaml:1:14: log.level: \"loud\""));
  EXPECT_THAT(loaded.errors[1], testing::StartsWith("f.yaml:1:28: log.access: \"1\""));
  EXPECT_THAT(loaded.errors[2], testing::StartsWith("f.yaml:2:21: memory.pool_size: \"x\""));
  EXPECT_THAT(loaded.errors[3], testing::StartsWith("f.yaml:1:1: auth.credentials_file: missing"));
}

TEST(Load, RefusesWhatIsNoSingleYamlDocument) {
  const BadCase kCases[] = {
      {"not YAML", "a: b: c\n", {"f.yaml:1:5: not valid YAML: illegal map value"}, false},
      {"anchor", "log: &x {}\n", {"f.yaml:1:6: anchors and aliases are not supported"}, false},
      {"second document",
       "log: {}\n---\nlog: {}\n",
       {"f.yaml:3:1: a second document; one is allowed"},
       false},
      {"a list",
       "[a]\n",
       {"f.yaml:1:1: the document: is a list, not a map; allowed: a map with the keys listen, "
        "origin, auth, cache, memory, io, prestage, limits, runtime, log",
        "f.yaml:1:1: auth.credentials_file: "
        "missing, while auth.mode is verify; allowed: the file of the callers' keys, or auth.mode: "
        "passthrough"},
       false},
      {"nothing",
       "",
       {"f.yaml:1:1: auth.credentials_file: "
        "missing, while auth.mode is verify; allowed: the file of the callers' keys, or auth.mode: "
        "passthrough"},
       false},
  };
  for (const BadCase& test : kCases)
    expect_errors(test);
}

TEST(Load, RefusesAFileThatCannotBeRead) {
  EXPECT_THAT(load("/no/such/file.yaml", {}).errors,
              ElementsAre("/no/such/file.yaml: cannot be read: No such file or directory"));
}

/// What is said of a file of this mode that holds the node's own pair.
std::vector<std::string> errors_at_mode(mode_t mode, const std::string& text,
                                        const Environment& environment = {}) {
  std::string folder = testing::TempDir() + "forebay-load-XXXXXX";
  EXPECT_NE(::mkdtemp(folder.data()), nullptr);
  const std::string path = folder + "/f.yaml";
  std::ofstream{path} << text;
  EXPECT_EQ(::chmod(path.c_str(), mode), 0);
  const std::string link = folder + "/link.yaml";
  std::filesystem::create_symlink("f.yaml", link);
  std::vector<std::string> errors = load(link, environment).errors;
  for (std::string& error : errors) {
    for (auto at = error.find(folder); at != std::string::npos; at = error.find(folder))
      error.erase(at, folder.size());
  }
  std::filesystem::remove_all(folder);
  return errors;
}

TEST(Load, RefusesSecretsInAFileThatOthersCanRead) {
  const std::string text =
      "auth: {mode: passthrough}\norigin:\n  fill_credentials:\n    source: static\n"
      "    access_key: AK\n    secret_key: HUSH\n";
  for (const mode_t good : {0400, 0440, 0600, 0640})
    EXPECT_THAT(errors_at_mode(good, text), IsEmpty());
  for (const mode_t bad : {0644, 0604, 0660, 0666})
    EXPECT_THAT(errors_at_mode(bad, text), testing::SizeIs(2)) << std::oct << bad;
  EXPECT_THAT(
      errors_at_mode(0644, text),
      testing::Contains(
          "/link.yaml:6:17: origin.fill_credentials.secret_key: a secret, in a file that is "
          "unfit for it: mode 0644 is too open; allowed: readable by owner and group, "
          "writable by the owner (0400, 0440, 0600, 0640). To mend it: chmod 0600 "
          "/link.yaml, or put the secret into the environment "
          "(FOREBAY_ORIGIN_FILL_CREDENTIALS_SECRET_KEY)"));
  EXPECT_THAT(errors_at_mode(0644,
                             "auth: {mode: passthrough}\norigin: {fill_credentials: "
                             "{source: static, access_key: \"\", secret_key: \"\"}}\n",
                             {{"FOREBAY_ORIGIN_FILL_CREDENTIALS_ACCESS_KEY", "AK"},
                              {"FOREBAY_ORIGIN_FILL_CREDENTIALS_SECRET_KEY", "HUSH"}}),
              IsEmpty());
  EXPECT_THAT(errors_at_mode(0666, std::string{kLeast}), IsEmpty()) << "nothing in it is secret";
}

TEST(Load, QuotesNoUrlThatMayHoldASecret) {
  for (const char* url : {"https://AK:HUSH@host", "https://host/?X-Amz-Signature=HUSH"}) {
    const Loaded loaded = load_with_auth("origin: {endpoint: \"" + std::string{url} + "\"}\n",
                                         {{"FOREBAY_ORIGIN_ENDPOINT", url}});
    EXPECT_THAT(loaded.errors, testing::SizeIs(2));
    EXPECT_THAT(loaded.errors, testing::Each(testing::Not(testing::HasSubstr("HUSH"))));
    EXPECT_THAT(
        loaded.errors,
        testing::Each(testing::HasSubstr("origin.endpoint: the value has more than a host")));
  }
}

TEST(Load, ResolvesPathsAgainstTheDirectoryOfTheFile) {
  const Loaded loaded = load_with_auth(
      "listen: {tls_certificate: tls/c.pem, tls_private_key: /keys/k.pem}\n"
      "cache: {devices: [{path: ../slab0, size: 64MiB}]}\n");
  ASSERT_THAT(loaded.errors, IsEmpty());
  EXPECT_EQ(loaded.config.s3.certificate_file, "/etc/forebay/tls/c.pem");
  EXPECT_EQ(loaded.config.s3.key_file, "/keys/k.pem");
  EXPECT_EQ(loaded.config.auth.credentials_file, "/etc/forebay/keys.yaml");
  EXPECT_EQ(loaded.config.cache.disk.devices.at(0).path, "/etc/slab0");
  EXPECT_EQ(loaded.config.origin.ca_file, "");
}

TEST(Load, ReadsRulesInOrderWithTheirDefaults) {
  const Loaded loaded = load_with_auth(
      "cache:\n"
      "  rules:\n"
      "    - {bucket: \"tmp-*\", prefix: a/, cache: never}\n"
      "    - {bucket: b, prestage: false}\n");
  ASSERT_THAT(loaded.errors, IsEmpty());
  const auto& rules = loaded.config.proxy.rules;
  ASSERT_EQ(rules.size(), 2U);
  EXPECT_EQ(rules[0].bucket, "tmp-*");
  EXPECT_EQ(rules[0].prefix, "a/");
  EXPECT_FALSE(rules[0].cache);
  EXPECT_TRUE(rules[0].prestage);
  EXPECT_EQ(rules[1].prefix, "");
  EXPECT_TRUE(rules[1].cache);
  EXPECT_FALSE(rules[1].prestage);
}

TEST(Load, TakesTheEnvironmentOverTheFile) {
  const Loaded loaded = load_plain("origin: {endpoint: \"http://file:1\"}\n",
                                   {{"FOREBAY_ORIGIN_ENDPOINT", "http://environment:2"},
                                    {"FOREBAY_AUTH_CREDENTIALS_FILE", "/run/keys.yaml"},
                                    {"FOREBAY_CACHE_DEVICE_WRITES_PER_DAY", "2.5"},
                                    {"FOREBAY_LOG_ACCESS", "false"}});
  ASSERT_THAT(loaded.errors, IsEmpty());
  EXPECT_THAT(loaded.warnings, IsEmpty());
  EXPECT_EQ(loaded.config.origin.endpoint, "http://environment:2");
  EXPECT_EQ(loaded.config.auth.credentials_file, "/run/keys.yaml");
  EXPECT_EQ(loaded.config.cache.disk.device_writes_per_day, 2.5);
  EXPECT_FALSE(loaded.config.log.access);
  EXPECT_FALSE(loaded.config.proxy.access_log);
}

TEST(Load, NamesTheVariableThatIsWrong) {
  const Loaded loaded = load_with_auth(
      "", {{"FOREBAY_MEMORY_POOL_SIZE", "1MiB"}, {"FOREBAY_LISTEN_ADMIN", "127.0.0.1:9000"}});
  EXPECT_THAT(loaded.errors,
              ElementsAre("FOREBAY_MEMORY_POOL_SIZE: memory.pool_size: \"1MiB\" is too small; "
                          "allowed: a size such as 4096, 64KiB or 4MiB, 32MiB to 16TiB",
                          "FOREBAY_LISTEN_ADMIN: listen.admin: is the address of listen.s3; "
                          "allowed: another port"));
}

TEST(Load, WarnsOfVariablesThatDoNothing) {
  const Loaded loaded = load_with_auth("", {{"FOREBAY_ORIGIN_ENDPONT", "x"},
                                            {"FOREBAY_LISTEN_DOMAINS", "a"},
                                            {"FOREBAY_COLOUR", "blue"},
                                            {"HOME", "/root"}});
  EXPECT_THAT(loaded.errors, IsEmpty());
  EXPECT_THAT(loaded.warnings,
              ElementsAre("FOREBAY_COLOUR: no such setting",
                          "FOREBAY_LISTEN_DOMAINS: listen.domains is a list and can be set in the "
                          "file only",
                          "FOREBAY_ORIGIN_ENDPONT: no such setting (did you mean "
                          "FOREBAY_ORIGIN_ENDPOINT?)"));
}

TEST(Load, ReadsTheConfigurationOfTheReadme) {
  const Loaded loaded = load_plain(
      "listen: { s3: 127.0.0.1:9000, admin: 127.0.0.1:9001, domains: [s3.forebay.internal] }\n"
      "origin: { endpoint: \"http://127.0.0.1:7480\", region: us-east-1 }\n"
      "auth:   { mode: verify, credentials_file: credentials.yaml }\n"
      "cache:  { devices: [ { path: slab0, size: 8GiB } ], min_object_size: 4MiB }\n"
      "memory: { pool_size: 1GiB }\n");
  ASSERT_THAT(loaded.errors, IsEmpty());
  EXPECT_EQ(loaded.config.s3.address, "127.0.0.1:9000");
  EXPECT_EQ(loaded.config.admin.address, "127.0.0.1:9001");
  EXPECT_THAT(loaded.config.proxy.domains, ElementsAre("s3.forebay.internal"));
  EXPECT_EQ(loaded.config.origin.endpoint, "http://127.0.0.1:7480");
  EXPECT_EQ(loaded.config.origin.region, "us-east-1");
  ASSERT_EQ(loaded.config.cache.disk.devices.size(), 1U);
  EXPECT_EQ(loaded.config.cache.disk.devices[0].size_bytes, 8 * GiB);
  EXPECT_EQ(loaded.config.proxy.min_object_size, 4 * MiB);
  EXPECT_EQ(loaded.config.pool.size_bytes, 1 * GiB);
}

}  // namespace
}  // namespace forebay::config
