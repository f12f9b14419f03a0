#include <forebay/app/cli.hpp>

#include <iostream>

int main(int argc, char** argv) {
  return forebay::app::run(argc, argv, std::cout, std::cerr);
}
