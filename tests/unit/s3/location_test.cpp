#include <forebay/s3/location.hpp>

#include <gtest/gtest.h>

namespace forebay::s3 {
namespace {

constexpr std::string_view kOrigin = "http://origin:7480";
constexpr std::string_view kClient = "https://node.example";

std::string filtered(std::string_view body, std::size_t cut) {
  LocationFilter filter{kOrigin, kClient};
  std::string result;
  for (std::size_t at = 0; at < body.size(); at += cut)
    result += filter.feed(body.substr(at, cut));
  return result + filter.finish();
}

TEST(LocationFilter, NamesWhatTheClientAskedWhereverTheBodyIsCut) {
  struct Case {
    std::string_view body, expected;
  };
  const Case cases[]{
      {"<R><Location>http://origin:7480/b/k</Location></R>",
       "<R><Location>https://node.example/b/k</Location></R>"},
      {"<R><Location>http://origin:74800/b</Location></R>",
       "<R><Location>http://origin:74800/b</Location></R>"},
      {"<R><Location>http://other/b</Location></R>", "<R><Location>http://other/b</Location></R>"},
      {"<R><Key>http://origin:7480/b</Key></R>", "<R><Key>http://origin:7480/b</Key></R>"},
      {"<<Location><Location>http://origin:7480/", "<<Location><Location>https://node.example/"},
      {"<Location>http://origin:7480", "<Location>http://origin:7480"},
      {"", ""},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.body);
    for (std::size_t cut = 1; cut <= each.body.size() + 1; ++cut)
      EXPECT_EQ(filtered(each.body, cut), each.expected) << cut;
  }
}

TEST(LocationFilter, HoldsNoBlankBack) {
  LocationFilter filter{kOrigin, kClient};
  EXPECT_EQ(filter.feed("<?xml version=\"1.0\"?>\n "), "<?xml version=\"1.0\"?>\n ");
  EXPECT_EQ(filter.feed(" "), " ");
  EXPECT_EQ(filter.feed("<Loc"), "");
  EXPECT_EQ(filter.feed(" "), "<Loc ");
}

TEST(LocationFilter, ReplacesAField) {
  const LocationFilter filter{kOrigin, kClient};
  EXPECT_EQ(filter.replace("http://origin:7480/b/k"), "https://node.example/b/k");
  EXPECT_EQ(filter.replace("http://elsewhere/done.html"), "http://elsewhere/done.html");
  EXPECT_EQ(filter.replace("/relative"), "/relative");
}

}  // namespace
}  // namespace forebay::s3
