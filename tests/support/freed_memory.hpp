#pragma once
// Sees whether memory is given back with a secret still in it. A test that names this replaces the
// operators new and delete of its whole program.
#include <cstddef>
#include <string_view>

namespace forebay::testing {

/// Counts the blocks that any thread gives back, while this lives, with `text` still in them. One
/// at a time.
class FreedMemory {
 public:
  explicit FreedMemory(std::string_view text);
  FreedMemory(const FreedMemory&) = delete;
  FreedMemory& operator=(const FreedMemory&) = delete;
  ~FreedMemory();

  std::size_t leaks() const;
};

}  // namespace forebay::testing
