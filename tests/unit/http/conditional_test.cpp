#include <forebay/http/conditional.hpp>

#include <gtest/gtest.h>

namespace forebay::http {
namespace {

using enum Precondition;

constexpr std::string_view kTag = "\"abc-3\"";
constexpr std::string_view kBefore = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr std::string_view kAt = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr std::string_view kAfter = "Sun, 06 Nov 1994 08:49:38 GMT";
constexpr sys_seconds kModified{std::chrono::seconds{784111777}};  // kAt

/// A field's value; "" leaves the field out.
struct Conditions {
  std::string_view if_match = {}, if_unmodified_since = {}, if_none_match = {},
                   if_modified_since = {};
};

Headers make_headers(const Conditions& conditions) {
  Headers headers;
  const auto add = [&headers](std::string name, std::string_view value) {
    if (!value.empty())
      headers.add(std::move(name), std::string{value});
  };
  add("If-Match", conditions.if_match);
  add("If-Unmodified-Since", conditions.if_unmodified_since);
  add("If-None-Match", conditions.if_none_match);
  add("If-Modified-Since", conditions.if_modified_since);
  return headers;
}

TEST(Conditional, FollowsTheWholePrecedenceTable) {
  // Every combination of each field absent, true and false. True means: the request may go on.
  const std::string_view match[]{"", "\"abc-3\"", "\"other\""};
  const std::string_view unmodified[]{"", kAt, kBefore};
  const std::string_view none_match[]{"", "\"other\"", "\"abc-3\""};
  const std::string_view modified[]{"", kBefore, kAt};
  for (int m = 0; m < 3; ++m) {
    for (int u = 0; u < 3; ++u) {
      for (int n = 0; n < 3; ++n) {
        for (int s = 0; s < 3; ++s) {
          SCOPED_TRACE(testing::Message() << m << u << n << s);
          const bool refused = m == 2 || (m == 0 && u == 2);
          const bool unchanged = n == 2 || (n == 0 && s == 2);
          const bool torn = n == 1 && s == 2;
          const auto expected = refused     ? failed
                                : unchanged ? not_modified
                                : torn      ? undecidable
                                            : proceed;
          const auto headers = make_headers({match[m], unmodified[u], none_match[n], modified[s]});
          EXPECT_EQ(evaluate(headers, kTag, kModified), expected);
        }
      }
    }
  }
}

TEST(Conditional, DecidesOrForwards) {
  struct Case {
    std::string_view name;
    Conditions conditions;
    Precondition expected;
  };
  const Case cases[]{
      {"nothing", {}, proceed},
      {"match, unquoted", {.if_match = "abc-3"}, proceed},
      {"match, other unquoted", {.if_match = "abc-4"}, failed},
      {"match, blanks", {.if_match = " \"abc-3\"\t"}, proceed},
      {"match, case differs", {.if_match = "\"ABC-3\""}, failed},
      {"match, prefix", {.if_match = "\"abc-\""}, failed},
      {"match, any", {.if_match = "*"}, undecidable},
      {"match, weak", {.if_match = "W/\"abc-3\""}, undecidable},
      {"match, list", {.if_match = "\"abc-3\", \"d\""}, undecidable},
      {"match, unquoted list", {.if_match = "abc-3,d"}, undecidable},
      {"match, quoted star", {.if_match = "\"*\""}, undecidable},
      {"match, empty tag", {.if_match = "\"\""}, undecidable},
      {"match, half quoted", {.if_match = "\"abc-3"}, undecidable},
      {"none match, unquoted", {.if_none_match = "abc-3"}, not_modified},
      {"none match, any", {.if_none_match = "*"}, undecidable},
      {"none match, weak", {.if_none_match = "W/\"abc-3\""}, undecidable},
      {"none match, list", {.if_none_match = "\"a\",\"b\""}, undecidable},
      {"match fails before a weak none match",
       {.if_match = "\"x\"", .if_none_match = "W/\"y\""},
       failed},
      {"weak match before a none match that holds",
       {.if_match = "W/\"abc-3\"", .if_none_match = "\"abc-3\""},
       undecidable},
      {"a date that match overrides is not read",
       {.if_match = "\"abc-3\"", .if_unmodified_since = "never"},
       proceed},
      {"a date that none match overrides, as it agrees",
       {.if_none_match = "\"x\"", .if_modified_since = kBefore},
       proceed},
      {"a date that none match overrides, though some origins read it",
       {.if_none_match = "\"x\"", .if_modified_since = kAfter},
       undecidable},
      {"a date that none match overrides and that is none",
       {.if_none_match = "\"x\"", .if_modified_since = "never"},
       undecidable},
      {"unmodified, later", {.if_unmodified_since = kAfter}, proceed},
      {"unmodified, same second", {.if_unmodified_since = kAt}, proceed},
      {"unmodified, earlier", {.if_unmodified_since = kBefore}, failed},
      {"unmodified, no date", {.if_unmodified_since = "yesterday"}, undecidable},
      {"modified, later", {.if_modified_since = kAfter}, not_modified},
      {"modified, same second", {.if_modified_since = kAt}, not_modified},
      {"modified, earlier", {.if_modified_since = kBefore}, proceed},
      {"modified, no date", {.if_modified_since = "784111777"}, undecidable},
      {"modified, asctime", {.if_modified_since = "Sun Nov  6 08:49:37 1994"}, not_modified},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.name);
    const auto headers = make_headers(each.conditions);
    EXPECT_EQ(evaluate(headers, kTag, kModified), each.expected);
    EXPECT_EQ(has_preconditions(headers), headers.size() > 0);
  }
}

TEST(Conditional, ForwardsWhatTheObjectGivesNoAnswerTo) {
  const auto by_tag = make_headers({.if_none_match = "\"abc-3\""});
  EXPECT_EQ(evaluate(by_tag, "W/\"abc-3\"", kModified), undecidable);
  EXPECT_EQ(evaluate(by_tag, "", kModified), undecidable);
  EXPECT_EQ(evaluate(by_tag, "abc-3", std::nullopt), not_modified);
  const auto by_date = make_headers({.if_modified_since = kAt});
  EXPECT_EQ(evaluate(by_date, kTag, std::nullopt), undecidable);
  EXPECT_EQ(evaluate(Headers{}, "", std::nullopt), proceed);
}

TEST(Conditional, ForwardsFieldsThatOccurTwiceOrAreEmpty) {
  for (const auto* const name :
       {"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"}) {
    SCOPED_TRACE(name);
    const std::string value{std::string_view{name}.ends_with("Match") ? kTag : kAt};
    Headers twice;
    twice.add(name, value);
    twice.add(name, value);
    EXPECT_EQ(evaluate(twice, kTag, kModified), undecidable);
    Headers empty;
    empty.add(name, "");
    EXPECT_EQ(evaluate(empty, kTag, kModified), undecidable);
  }
}

TEST(Conditional, DecidesIfRangeByStrongTagsOnly) {
  struct Case {
    std::string_view value;
    IfRange expected;
  };
  const Case cases[]{
      {"\"abc-3\"", IfRange::matches},       {"\"abc-4\"", IfRange::undecidable},
      {"W/\"abc-3\"", IfRange::undecidable}, {"abc-3", IfRange::undecidable},
      {kAt, IfRange::undecidable},           {"", IfRange::undecidable},
      {"\"a\",\"b\"", IfRange::undecidable}, {"*", IfRange::undecidable},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.value);
    Headers headers;
    headers.add("If-Range", std::string{each.value});
    EXPECT_EQ(evaluate_if_range(headers, kTag), each.expected);
    EXPECT_EQ(evaluate_if_range(headers, "W/\"abc-3\""), IfRange::undecidable);
  }
  EXPECT_EQ(evaluate_if_range(Headers{}, kTag), IfRange::no_header);
  Headers twice;
  twice.add("If-Range", std::string{kTag});
  twice.add("If-Range", std::string{kTag});
  EXPECT_EQ(evaluate_if_range(twice, kTag), IfRange::undecidable);
}

TEST(Conditional, StrongEtagIsTheOpaquePart) {
  EXPECT_EQ(strong_etag("\"abc\""), "abc");
  EXPECT_EQ(strong_etag("abc"), "abc");
  EXPECT_EQ(strong_etag("\"d41d8cd98f00b204e9800998ecf8427e-12\""),
            "d41d8cd98f00b204e9800998ecf8427e-12");
  for (const auto* const bad : {"", "\"", "\"\"", "\"\"\"", "W/\"abc\"", "W/abc", "\"a\"b\"", "a b",
                                "\"a b\"", "a,b", "*", "\"a", "a\"", "a\x7f", "a\n"}) {
    SCOPED_TRACE(bad);
    EXPECT_EQ(strong_etag(bad), std::nullopt);
  }
}

}  // namespace
}  // namespace forebay::http
