#include "s3/sha256_state.hpp"

#include <gtest/gtest.h>

namespace forebay::s3 {
namespace {

TEST(HmacKey, MatchesRfc4231) {
  struct Case {
    std::string_view name;
    std::string key, message, expected;
  };
  const Case cases[]{
      {"case 1", std::string(20, '\x0b'), "Hi There",
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {"case 2", "Jefe", "what do ya want for nothing?",
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {"case 3", std::string(20, '\xaa'), std::string(50, '\xdd'),
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {"case 6, key longer than a block", std::string(131, '\xaa'),
       "Test Using Larger Than Block-Size Key - Hash Key First",
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.name);
    const HmacKey key{each.key};
    EXPECT_EQ(to_hex(key.sign(each.message)), each.expected);
    EXPECT_EQ(to_hex(key.sign(each.message)), each.expected) << "the key serves once only";
  }
}

}  // namespace
}  // namespace forebay::s3
