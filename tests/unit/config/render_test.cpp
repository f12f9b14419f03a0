#include "config/schema.hpp"

#include <forebay/config/load.hpp>
#include <forebay/config/render.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace forebay::config {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

/// From tests/CMakeLists.txt.
const std::filesystem::path kRepository{FOREBAY_REPOSITORY};

std::string read(const std::filesystem::path& path) {
  std::ifstream stream{path};
  return {std::istreambuf_iterator<char>{stream}, {}};
}

Config everything_set() {
  Config config;
  config.proxy.domains = {"s3.example", "-odd: one"};
  config.cache.disk.devices = {{"/dev/nvme0n1", 1 * TiB}, {"/with space/slab", 64 * MiB}};
  config.proxy.rules = {{"tmp-*", "a b/", false, true}, {"b", "", true, false}};
  config.auth.credentials_file = "/etc/keys.yaml";
  config.s3.address = "[::1]:80";
  config.cache.disk.device_writes_per_day = 0.25;
  config.io.kind = io::EngineKind::pread;
  config.proxy.prestage.trigger = proxy::PrestageTrigger::off;
  config.log.level = "off";
  return config;
}

TEST(Render, DefaultsLoadBackAsThemselves) {
  const Loaded loaded = load_text(render_config(Config{}), "f.yaml", "/d", {});
  ASSERT_THAT(loaded.errors, IsEmpty());
  Config expected;
  expected.auth.credentials_file = "/d/credentials.yaml";
  EXPECT_EQ(render_config(loaded.config), render_config(expected));
}

TEST(Render, AnyConfigurationLoadsBackAsItself) {
  const std::string text = render_config(everything_set());
  const Loaded loaded = load_text(text, "f.yaml", "/d", {});
  ASSERT_THAT(loaded.errors, IsEmpty());
  EXPECT_EQ(render_config(loaded.config), text);
  EXPECT_EQ(loaded.config.proxy.domains.at(1), "-odd: one");
  EXPECT_EQ(loaded.config.cache.disk.devices.at(1).path, "/with space/slab");
  EXPECT_EQ(loaded.config.proxy.rules.at(0).prefix, "a b/");
  EXPECT_FALSE(loaded.config.proxy.rules.at(0).cache);
  EXPECT_EQ(loaded.config.io.kind, io::EngineKind::pread);
  EXPECT_EQ(loaded.config.log.level, "off");
}

TEST(Render, ShowsNoSecret) {
  Config config;
  config.proxy.auth_mode = proxy::AuthMode::passthrough;
  config.fill_credentials.source = origin::CredentialSource::fixed;
  config.fill_credentials.access_key = "AKIDHIDDEN";
  config.fill_credentials.secret_key = "SKHIDDEN";
  config.fill_credentials.session_token = "THIDDEN";
  const std::string text = render_config(config);
  EXPECT_THAT(text, testing::Not(HasSubstr("HIDDEN")));
  EXPECT_THAT(text, HasSubstr("\n    # secret_key: set, and not shown\n"));
  const Loaded loaded = load_text(text, "f.yaml", "/d", {});
  EXPECT_THAT(loaded.errors,
              testing::Each(HasSubstr("_key: missing, while source is static; allowed: ")));
  EXPECT_THAT(loaded.errors, testing::SizeIs(2)) << "it is not the whole configuration";
}

TEST(Render, EveryKeyIsInTheFileAndOnThePage) {
  const std::string file = render_config(Config{});
  const std::string page = render_reference();
  for (const Key& key : schema()) {
    SCOPED_TRACE(key.name);
    EXPECT_THAT(file,
                HasSubstr("  " + std::string{key.name.substr(key.name.rfind('.') + 1)} + ":"));
    EXPECT_THAT(page, HasSubstr("| `" + std::string{key.name} + "` |"));
  }
}

TEST(Render, LinesAreShort) {
  std::istringstream lines{render_config(Config{})};
  for (std::string line; std::getline(lines, line);)
    EXPECT_LE(line.size(), 100U) << line;
}

// Where one of these fails: forebay serve --print-config > config/forebay.yaml
TEST(Render, TheDefaultFileIsUpToDate) {
  EXPECT_EQ(read(kRepository / "config/forebay.yaml"), render_config(Config{}));
}

// Where one of these fails: forebay docs configuration > docs/configuration.md
TEST(Render, TheReferencePageIsUpToDate) {
  EXPECT_EQ(read(kRepository / "docs/configuration.md"), render_reference());
}

}  // namespace
}  // namespace forebay::config
