#include "entry.hpp"

#include <cstdint>

#include <spdlog/spdlog.h>

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  spdlog::set_level(spdlog::level::off);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  forebay::fuzz::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
