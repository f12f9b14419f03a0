#pragma once
// Text that leaves nothing behind in memory: keys, tokens, and the documents that held them.
#include <concepts>
#include <string>
#include <string_view>
#include <utility>

namespace forebay {

/// Erases the characters, unused capacity included, and leaves the text empty. The compiler does
/// not remove it.
void wipe(std::string& text) noexcept;

/// A text whose memory is erased before it is given back. It never grows in place, so no
/// reallocation leaves a copy behind, and a move erases the source, which a short std::string would
/// keep in itself. What is read through the conversions must not be copied to last: header fields
/// are the exception.
class Secret {
 public:
  Secret() = default;
  /// Takes over the memory of a long text; what a short one leaves in the argument is erased.
  Secret(std::string text) noexcept : text_{std::move(text)} { wipe(text); }
  Secret(std::string_view text) : text_{text} {}
  Secret(const char* text) : text_{text} {}

  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept : text_{std::move(other.text_)} { wipe(other.text_); }
  Secret& operator=(Secret other) noexcept {
    wipe(text_);
    text_ = std::move(other.text_);
    return *this;
  }
  ~Secret() { wipe(text_); }

  const std::string& str() const { return text_; }
  operator std::string_view() const { return text_; }
  bool empty() const { return text_.empty(); }
  std::size_t size() const { return text_.size(); }

  friend bool operator==(const Secret&, const Secret&) = default;
  template <std::convertible_to<std::string_view> Text>
    requires(!std::same_as<Text, Secret>)
  friend bool operator==(const Secret& secret, const Text& text) {
    return std::string_view{secret} == std::string_view{text};
  }

 private:
  std::string text_;
};

/// Erases a text that grows or is written to in place, however its scope ends. What was moved out
/// of it before then stays.
class WipeAtEnd {
 public:
  explicit WipeAtEnd(std::string& text) : text_{text} {}
  WipeAtEnd(const WipeAtEnd&) = delete;
  WipeAtEnd& operator=(const WipeAtEnd&) = delete;
  ~WipeAtEnd() { wipe(text_); }

 private:
  std::string& text_;
};

/// For logs: `text` with *** for the values of parameters that make a URL a signed one. A client
/// that encodes a presigned URL twice sends them as part of a key.
std::string mask_signatures(std::string_view text);

}  // namespace forebay
