#include "proxy/forwarding.hpp"

#include <gtest/gtest.h>

namespace forebay::proxy {
namespace {

http::Headers claims() {
  http::Headers headers;
  for (const auto* const name :
       {"X-Forwarded-For", "x-forwarded-host", "X-Forwarded-Proto", "Forwarded", "X-Real-IP",
        "True-Client-IP", "X-HTTP-Method-Override", "X-Original-URL"})
    headers.add(name, "198.51.100.1");
  headers.add("User-Agent", "a");
  return headers;
}

Forwarding forwarding(ForwardedFor policy, const std::vector<std::string>& trusted) {
  return {policy, net::NetworkSet{trusted}};
}

TEST(Forwarding, AClientsOwnWordNeverArrives) {
  auto off = claims();
  name_client(off, "192.0.2.1:4711", forwarding(ForwardedFor::off, {"192.0.2.0/24"}));
  ASSERT_EQ(off.size(), 1U);
  EXPECT_TRUE(off.contains("User-Agent"));
  auto set = claims();
  name_client(set, "192.0.2.1:4711", forwarding(ForwardedFor::set, {"10.0.0.0/8"}));
  EXPECT_EQ(set.size(), 2U);
  EXPECT_EQ(set.value_or_empty("X-Forwarded-For"), "192.0.2.1");
}

TEST(Forwarding, TheLastAddressThatNoProxyOfOursHasIsTheClients) {
  struct Case {
    const char *chain, *expected;
  };
  for (const auto& [chain, expected] :
       {Case{"203.0.113.9", "203.0.113.9"}, Case{"198.51.100.1, 203.0.113.9", "203.0.113.9"},
        Case{"203.0.113.9, 10.0.0.7:80", "203.0.113.9"}, Case{"10.0.0.8, 10.0.0.7", "10.0.0.8"},
        Case{"203.0.113.9, unknown", "10.0.0.1"}, Case{"", "10.0.0.1"}}) {
    SCOPED_TRACE(chain);
    http::Headers headers;
    headers.add("x-forwarded-for", chain);
    name_client(headers, "10.0.0.1:80", forwarding(ForwardedFor::set, {"10.0.0.0/8"}));
    EXPECT_EQ(headers.value_or_empty("X-Forwarded-For"), expected);
    EXPECT_EQ(headers.count("X-Forwarded-For"), 1U);
  }
  http::Headers two;
  two.add("X-Forwarded-For", "203.0.113.9");
  two.add("X-Forwarded-For", "10.0.0.2");
  name_client(two, "[2001:db8::5]:80",
              forwarding(ForwardedFor::set, {"2001:db8::/32", "10.0.0.0/8"}));
  EXPECT_EQ(two.value_or_empty("X-Forwarded-For"), "203.0.113.9");
}

}  // namespace
}  // namespace forebay::proxy
