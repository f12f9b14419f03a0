#include <forebay/net/network_set.hpp>

#include <gtest/gtest.h>

namespace forebay::net {
namespace {

TEST(NetworkSet, HoldsWhatItsPrefixesCover) {
  const std::vector<std::string> networks{"10.1.0.0/16", "192.0.2.7", "2001:db8::/32", "::1",
                                          "10.9.9.9/24"};
  for (const auto& each : networks)
    EXPECT_TRUE(is_network(each)) << each;
  const NetworkSet set{networks};
  for (const auto* const in : {"10.1.0.0", "10.1.255.255", "192.0.2.7", "2001:db8:1::1", "::1",
                               "::ffff:10.1.2.3", "10.9.9.1"})
    EXPECT_TRUE(set.contains(in)) << in;
  for (const auto* const out :
       {"10.2.0.0", "192.0.2.8", "2001:db9::", "::2", "", "a", "10.1.0.0:80", "::ffff:10.2.0.1"})
    EXPECT_FALSE(set.contains(out)) << out;
  EXPECT_FALSE(NetworkSet{}.contains("10.1.0.0"));
}

TEST(NetworkSet, ReadsAddressesAsProxiesWriteThem) {
  for (const auto& [text, address] : {std::pair{"192.0.2.1", "192.0.2.1"},
                                      {" 192.0.2.1:4711 ", "192.0.2.1"},
                                      {"[2001:db8::1]:80", "2001:db8::1"},
                                      {"2001:db8::1", "2001:db8::1"},
                                      {"[::1]", "::1"}})
    EXPECT_EQ(address_in(text), address) << text;
  for (const auto* const bad : {"", " ", "unknown", "_hidden", "[", "[]", "a:1", "1.2.3"})
    EXPECT_EQ(address_in(bad), std::nullopt) << bad;
}

TEST(NetworkSet, KnowsNetworks) {
  EXPECT_TRUE(is_network("0.0.0.0/0"));
  for (const auto* const bad : {"", "a", "10.0.0.0/33", "10.0.0/8", "10.0.0.0/", "/8", "::/129",
                                "10.0.0.0/8 ", "10.0.0.1:80"})
    EXPECT_FALSE(is_network(bad)) << bad;
}

}  // namespace
}  // namespace forebay::net
