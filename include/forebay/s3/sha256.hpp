#pragma once
// SHA-256 of bodies that arrive piece by piece.
#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace forebay::s3 {

/// Not thread-safe; one body each. Movable. Throws std::bad_alloc only.
class Sha256 {
 public:
  using Digest = std::array<std::byte, 32>;

  Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256();

  void update(std::span<const std::byte> bytes);
  void update(std::string_view bytes);
  /// Ends the computation; only destruction and assignment may follow.
  Digest finish();
  /// finish() as 64 lower-case hexadecimal digits.
  std::string finish_hex();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

/// The digest of `bytes` as 64 lower-case hexadecimal digits.
std::string sha256_hex(std::string_view bytes);

/// Lower-case hexadecimal digits.
std::string to_hex(std::span<const std::byte> bytes);

}  // namespace forebay::s3
