#include "admin/status_page.hpp"

#include <string>

#include <gtest/gtest.h>

namespace forebay::admin {
namespace {

TEST(StatusPage, ShowsNestedStatusEscaped) {
  const std::string page =
      status_page("1.0 <x>", R"({"cache":{"size":42,"<disk>":"a & b"},"workers":[1,2.5,true]})");
  for (const char* part :
       {"Forebay 1.0 &lt;x&gt;", "<th>cache</th><td><table><tr><th>size</th>", "<td>42</td>",
        "<th>&lt;disk&gt;</th><td>a &amp; b</td>", "1<br>", "true<br>"})
    EXPECT_NE(page.find(part), std::string::npos) << part << " in\n" << page;
  EXPECT_EQ(page.find("src="), std::string::npos);
}

TEST(StatusPage, ShowsWhatIsNoJsonAsItIs) {
  const std::string page = status_page("1", "{<broken>");
  EXPECT_NE(page.find("<pre>{&lt;broken&gt;</pre>"), std::string::npos);
}

}  // namespace
}  // namespace forebay::admin
