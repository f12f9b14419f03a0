#include "support/freed_memory.hpp"

#include <forebay/base/secret.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <string>

#include <gtest/gtest.h>

namespace forebay {
namespace {

/// A Secret in memory that stays readable after its end.
class Remains {
 public:
  template <class... Args>
  Secret& make(Args&&... args) {
    return *std::construct_at(reinterpret_cast<Secret*>(storage_.data()),
                              std::forward<Args>(args)...);
  }
  void end() { std::destroy_at(std::launder(reinterpret_cast<Secret*>(storage_.data()))); }
  /// But for the first characters, which a std::string overwrites by itself.
  bool hold(std::string_view text) const {
    text.remove_prefix(3);
    std::array<char, sizeof(Secret)> bytes{};
    std::memcpy(bytes.data(), storage_.data(), bytes.size());
    return std::search(bytes.begin(), bytes.end(), text.begin(), text.end()) != bytes.end();
  }

 private:
  alignas(Secret) std::array<std::byte, sizeof(Secret)> storage_{};
};

// A std::string keeps so short a text in itself, where moves and the destructor leave it.
constexpr std::string_view kShort = "SECRET-KEY-1";
constexpr std::string_view kLong = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

TEST(Secret, LeavesNothingOfAShortTextBehind) {
  Remains remains;
  remains.make(kShort);
  ASSERT_TRUE(remains.hold(kShort));
  remains.end();
  EXPECT_FALSE(remains.hold(kShort));
}

TEST(Secret, LeavesNothingInWhatItIsMovedFrom) {
  Remains remains;
  Secret& source = remains.make(kShort);
  Secret taken{std::move(source)};
  EXPECT_EQ(taken, kShort);
  EXPECT_FALSE(remains.hold(kShort));
  source = std::move(taken);
  Secret assigned;
  assigned = std::move(source);
  EXPECT_EQ(assigned, kShort);
  EXPECT_FALSE(remains.hold(kShort));
  remains.end();
}

TEST(Secret, LeavesNothingOfWhatIsReplaced) {
  Remains remains;
  Secret& secret = remains.make(kShort);
  secret = "x";
  EXPECT_FALSE(remains.hold(kShort));
  EXPECT_EQ(secret, "x");
  remains.end();
}

TEST(Secret, CopiesAreTheirOwn) {
  Secret copy;
  {
    const Secret original{kLong};
    copy = original;
  }
  EXPECT_EQ(copy, kLong);
  copy = copy.str();
  EXPECT_EQ(copy.str(), kLong);
}

TEST(Wipe, ErasesTheWholeCapacity) {
  const testing::FreedMemory freed{kLong.substr(8)};
  {
    std::string text{kLong};
    text.resize(3);
    wipe(text);
    EXPECT_TRUE(text.empty());
  }
  EXPECT_EQ(freed.leaks(), 0U);
  {
    std::string text{kLong};
    text.resize(3);
  }
  EXPECT_EQ(freed.leaks(), 1U) << "without it";
}

TEST(MaskSignatures, HidesWhatWouldOpenAPresignedUrl) {
  struct Case {
    const char* text;
    const char* masked;
  };
  const Case kCases[] = {
      {"", ""},
      {"a/b.parquet", "a/b.parquet"},
      {"k?X-Amz-Date=1&X-Amz-Signature=abc123", "k?X-Amz-Date=1&X-Amz-Signature=***"},
      {"k?x-amz-signature=abc&x=1", "k?x-amz-signature=***&x=1"},
      {"k?AWSAccessKeyId=A&Signature=a%2Bb=&Expires=1",
       "k?AWSAccessKeyId=A&Signature=***&Expires=1"},
      {"k?X-Amz-Security-Token=t&X-Amz-Signature=s",
       "k?X-Amz-Security-Token=***&X-Amz-Signature=***"},
      {"k?temp_url_sig=s&temp_url_expires=1", "k?temp_url_sig=***&temp_url_expires=1"},
      {"k?X-Amz-Signature%3Dabc%26x", "k?X-Amz-Signature%3D***"},
      {"signature=", "signature=***"},
      {"date=2024/token=7/part", "date=2024/token=7/part"},
  };
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.text);
    EXPECT_EQ(mask_signatures(test.text), test.masked);
  }
}

}  // namespace
}  // namespace forebay
