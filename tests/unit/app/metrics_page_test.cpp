// docs/metrics.md against the names in the sources.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

namespace fs = std::filesystem;

/// From tests/CMakeLists.txt.
const fs::path kRepository{FOREBAY_REPOSITORY};

std::string read(const fs::path& path) {
  std::ifstream stream{path};
  return {std::istreambuf_iterator<char>{stream}, {}};
}

/// Names between `quote` characters in the text.
void collect(const std::string& text, const std::string& quote, std::set<std::string>& names) {
  const std::regex name{quote + "((forebay|process)_[a-z0-9_]+)" + quote};
  for (std::sregex_iterator it{text.begin(), text.end(), name}, end; it != end; ++it)
    names.insert((*it)[1]);
}

std::vector<std::string> without(const std::set<std::string>& names,
                                 const std::set<std::string>& others) {
  std::vector<std::string> left;
  std::ranges::set_difference(names, others, std::back_inserter(left));
  return left;
}

TEST(MetricsPage, NamesEveryMetricAndNoOther) {
  std::set<std::string> declared;
  for (const auto& entry : fs::recursive_directory_iterator{kRepository / "src"}) {
    if (entry.path().extension() == ".cpp")
      collect(read(entry.path()), "\"", declared);
  }
  std::set<std::string> described;
  collect(read(kRepository / "docs/metrics.md"), "`", described);
  EXPECT_GT(declared.size(), 30U);
  EXPECT_THAT(without(declared, described), testing::IsEmpty()) << "not on the page";
  EXPECT_THAT(without(described, declared), testing::IsEmpty()) << "on the page alone";
}

}  // namespace
