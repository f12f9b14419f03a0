#include "support/freed_memory.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>

#include <malloc.h>

namespace forebay::testing {
namespace {

std::array<char, 128> wanted;
std::atomic<std::size_t> wanted_size{0};  ///< 0: nothing is looked for.
std::atomic<std::size_t> found{0};

void give_back(void* block) {
  const std::size_t size = wanted_size;
  if (block != nullptr && size != 0 &&
      ::memmem(block, ::malloc_usable_size(block), wanted.data(), size) != nullptr)
    ++found;
  std::free(block);
}

void* take(std::size_t size) {
  void* const block = std::malloc(std::max<std::size_t>(size, 1));
  if (block == nullptr)
    throw std::bad_alloc{};
  return block;
}

}  // namespace

FreedMemory::FreedMemory(std::string_view text) {
  found = 0;
  std::copy_n(text.begin(), std::min(text.size(), wanted.size()), wanted.begin());
  wanted_size = std::min(text.size(), wanted.size());
}

FreedMemory::~FreedMemory() {
  wanted_size = 0;
}

std::size_t FreedMemory::leaks() const {
  return found;
}

}  // namespace forebay::testing

void* operator new(std::size_t size) {
  return forebay::testing::take(size);
}
void* operator new[](std::size_t size) {
  return forebay::testing::take(size);
}
void operator delete(void* block) noexcept {
  forebay::testing::give_back(block);
}
void operator delete[](void* block) noexcept {
  forebay::testing::give_back(block);
}
void operator delete(void* block, std::size_t) noexcept {
  forebay::testing::give_back(block);
}
void operator delete[](void* block, std::size_t) noexcept {
  forebay::testing::give_back(block);
}
