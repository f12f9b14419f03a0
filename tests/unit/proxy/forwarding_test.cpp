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

TEST(Forwarding, ATrustedProxysWordIsPassedOn) {
  auto headers = claims();
  headers.add("X-Forwarded-For", "203.0.113.9");
  name_client(headers, "[2001:db8::5]:80", forwarding(ForwardedFor::set, {"2001:db8::/32"}));
  EXPECT_EQ(headers.value_or_empty("X-Forwarded-For"), "198.51.100.1, 203.0.113.9, 2001:db8::5");
  EXPECT_EQ(headers.count("X-Forwarded-For"), 1U);
}

}  // namespace
}  // namespace forebay::proxy
