#include <forebay/base/glob.hpp>

#include <string>

#include <gtest/gtest.h>

namespace forebay {
namespace {

TEST(Glob, MatchesTheWholeText) {
  struct Case {
    const char* pattern;
    const char* text;
    bool matches;
  };
  for (const Case& c : {Case{"", "", true}, Case{"", "a", false}, Case{"*", "", true},
                        Case{"*", "anything", true}, Case{"train-*", "train-1", true},
                        Case{"train-*", "train-", true}, Case{"train-*", "retrain-1", false},
                        Case{"?", "a", true}, Case{"?", "", false}, Case{"a*b*c", "a-b-b-c", true},
                        Case{"a*b*c", "a-c-b", false}, Case{"*.bak", "x.bak.bak", true},
                        Case{"a", "A", false}, Case{"**", "x", true}, Case{"[a]", "a", false}}) {
    SCOPED_TRACE(std::string{c.pattern} + " on " + c.text);
    EXPECT_EQ(glob_matches(c.pattern, c.text), c.matches);
  }
}

TEST(Glob, ManyStarsOverALongTextEnd) {
  const std::string text(20'000, 'a');
  EXPECT_FALSE(glob_matches("*a*a*a*a*a*a*a*a*b", text));
}

}  // namespace
}  // namespace forebay
