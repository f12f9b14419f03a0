#include <forebay/base/errc.hpp>
#include <forebay/base/metrics.hpp>
#include <forebay/origin/credentials.hpp>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace forebay::origin {
namespace {

namespace fs = std::filesystem;

/// One access key a line; a line "bad" makes the whole file unusable.
Result<CallerKeys> load_lines(const std::string& path) {
  std::ifstream file{path};
  CallerKeys keys;
  for (std::string line; std::getline(file, line);) {
    if (line == "bad")
      return Errc::invalid_config;
    auto key = std::make_shared<CallerKey>();
    key->access_key = line;
    keys.emplace(line, std::move(key));
  }
  return keys;
}

metrics::Gauge& failed() {
  return metrics::Registry::instance().gauge("forebay_credentials_reload_failed", "");
}
metrics::Gauge& loaded() {
  return metrics::Registry::instance().gauge("forebay_credentials_keys", "");
}

class CredentialStoreTest : public testing::Test {
 protected:
  CredentialStoreTest() {
    std::string pattern = testing::TempDir() + "forebay-credentials-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~CredentialStoreTest() override { fs::remove_all(folder_); }

  fs::path path(const std::string& name = "keys") const { return folder_ / name; }
  void write(const fs::path& file, const std::string& text, mode_t mode = 0600) {
    std::ofstream{file} << text;
    ASSERT_EQ(::chmod(file.c_str(), mode), 0);
  }
  std::unique_ptr<CredentialStore> open(const fs::path& file) {
    auto store = CredentialStore::open(file, load_lines);
    return store ? std::move(store).value() : nullptr;
  }

 private:
  fs::path folder_;
};

TEST_F(CredentialStoreTest, RefusesFilesThatOthersMayRead) {
  struct Case {
    mode_t mode;
    bool good;
  };
  // Owned by root with a group that may read is how Kubernetes mounts secrets.
  const std::vector<Case> cases{{0400, true},  {0600, true},  {0440, true},
                                {0640, true},  {0644, false}, {0604, false},
                                {0660, false}, {0620, false}, {0602, false}};
  for (const Case& c : cases) {
    SCOPED_TRACE(testing::Message() << std::oct << c.mode);
    fs::remove(path());
    write(path(), "one\n", c.mode);
    const auto store = CredentialStore::open(path(), load_lines);
    EXPECT_EQ(store.has_value(), c.good);
    if (!c.good) {
      EXPECT_EQ(store.error(), Errc::invalid_config);
    }
  }
}

TEST_F(CredentialStoreTest, JudgesWhatASymlinkLeadsTo) {
  write(path("open"), "one\n", 0644);
  write(path("tight"), "one\n", 0400);
  fs::create_directory(path("folder"));
  fs::permissions(path("folder"), fs::perms::owner_all);
  struct Case {
    const char* target;
    bool good;
  };
  for (const Case& c : {Case{"open", false}, {"tight", true}, {"folder", false}, {"none", false}}) {
    SCOPED_TRACE(c.target);
    const fs::path link = path(std::string{"to-"} + c.target);
    fs::create_symlink(c.target, link);
    EXPECT_EQ(CredentialStore::open(link, load_lines).has_value(), c.good);
  }
}

TEST_F(CredentialStoreTest, RefusesAFileThatTheLoaderRefuses) {
  write(path(), "one\nbad\n");
  EXPECT_EQ(CredentialStore::open(path(), load_lines).error(), Errc::invalid_config);
}

TEST_F(CredentialStoreTest, TakesAChangedFileAsAWhole) {
  write(path(), "one\ntwo\n");
  const auto store = open(path());
  ASSERT_TRUE(store);
  EXPECT_EQ(loaded().value(), 2);
  const auto held = store->find("one");
  ASSERT_TRUE(held);
  EXPECT_FALSE(store->find("three"));

  write(path(), "three\n");
  EXPECT_FALSE(store->find("three")) << "before the poll";
  store->poll();
  EXPECT_TRUE(store->find("three"));
  EXPECT_FALSE(store->find("one")) << "revoked";
  EXPECT_EQ(held->access_key, "one") << "who holds a key keeps it";
  EXPECT_EQ(loaded().value(), 1);
  EXPECT_EQ(failed().value(), 0);
}

TEST_F(CredentialStoreTest, ReadsTheFileOnlyWhenItChanged) {
  write(path(), "one\n");
  int loads = 0;
  const auto store = CredentialStore::open(path(), [&loads](const std::string& file) {
    ++loads;
    return load_lines(file);
  });
  ASSERT_TRUE(store);
  store.value()->poll();
  EXPECT_EQ(loads, 1);
  write(path(), "one\nbad\n");
  store.value()->poll();
  store.value()->poll();
  EXPECT_EQ(loads, 2) << "an unusable file is read once";
}

TEST_F(CredentialStoreTest, KeepsTheOldKeysWhileTheFileIsUnusable) {
  write(path(), "one\n");
  const auto store = open(path());
  ASSERT_TRUE(store);
  const auto is_kept = [&store](const char* why) {
    SCOPED_TRACE(why);
    store->poll();
    store->poll();
    EXPECT_TRUE(store->find("one"));
    EXPECT_EQ(failed().value(), 1);
    EXPECT_EQ(loaded().value(), 1);
  };
  write(path(), "two\nbad\n");
  is_kept("refused by the loader");
  write(path(), "two\nthree\n", 0644);
  is_kept("world-readable");
  fs::remove(path());
  is_kept("gone");

  write(path(), "two\n");
  store->poll();
  EXPECT_TRUE(store->find("two"));
  EXPECT_FALSE(store->find("one"));
  EXPECT_EQ(failed().value(), 0);
}

TEST_F(CredentialStoreTest, AModeThatIsMendedIsSeen) {
  write(path(), "one\n");
  const auto store = open(path());
  ASSERT_TRUE(store);
  write(path(), "two\n", 0644);
  store->poll();
  EXPECT_EQ(failed().value(), 1);
  ASSERT_EQ(::chmod(path().c_str(), 0600), 0);
  store->poll();
  EXPECT_EQ(failed().value(), 0);
  EXPECT_TRUE(store->find("two"));
}

TEST_F(CredentialStoreTest, FollowsTheSwapOfAMountedSecret) {
  // keys -> ..data/keys, ..data -> a folder for each version: Kubernetes renames ..data.
  for (const char* version : {"v1", "v2"}) {
    fs::create_directory(path(version));
    write(path(version) / "keys", std::string{version} + "\n", 0440);
  }
  fs::create_directory_symlink("v1", path("..data"));
  fs::create_symlink("..data/keys", path());
  const auto store = open(path());
  ASSERT_TRUE(store);
  EXPECT_TRUE(store->find("v1"));

  fs::create_directory_symlink("v2", path("..new"));
  fs::rename(path("..new"), path("..data"));
  store->poll();
  EXPECT_TRUE(store->find("v2"));
  EXPECT_FALSE(store->find("v1"));
}

TEST(CallerKey, AllowsWhatAGrantNames) {
  struct Case {
    const char* name;
    std::vector<CallerKey::Grant> allow;
    std::string bucket;
    bool read;
    bool write;
  };
  const std::vector<Case> cases{
      {"no list", {}, "any", true, true},
      {"no list, the service", {}, "", true, true},
      {"exact", {{"train", false}}, "train", true, true},
      {"exact, not a prefix", {{"train", false}}, "train-1", false, false},
      {"star", {{"train-*", false}}, "train-1", true, true},
      {"star of nothing", {{"train-*", false}}, "train-", true, true},
      {"star at both ends", {{"*mid*", false}}, "a-mid-b", true, true},
      {"question mark", {{"t?", false}}, "t1", true, true},
      {"question mark is one", {{"t?", false}}, "t", false, false},
      {"case", {{"Train", false}}, "train", false, false},
      {"read only", {{"train", true}}, "train", true, false},
      {"one reads, another writes", {{"*", true}, {"scratch", false}}, "scratch", true, true},
      {"only reads elsewhere", {{"*", true}, {"scratch", false}}, "train", true, false},
      {"a list keeps the service away", {{"*", false}}, "", false, false},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    CallerKey key;
    key.allow = c.allow;
    EXPECT_EQ(key.allows(c.bucket, false), c.read);
    EXPECT_EQ(key.allows(c.bucket, true), c.write);
  }
}

}  // namespace
}  // namespace forebay::origin
