#include <forebay/app/cli.hpp>
#include <forebay/app/core_dumps.hpp>

#include <iostream>

int main(int argc, char** argv) {
  // Before the first secret is read; the configuration may allow them again.
  forebay::app::allow_core_dumps(false);
  return forebay::app::run(argc, argv, std::cout, std::cerr);
}
