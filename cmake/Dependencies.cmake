# Third-party libraries, all from Debian 12 packages. Each room links only what it names in ForebayModule.cmake.
option(FOREBAY_BUILD_TESTS "Build the unit tests" ON)
option(FOREBAY_BUILD_BENCH "Build the benchmarks" ON)
option(FOREBAY_BUILD_FUZZ "Build the fuzz targets, and everything for them to see its branches" OFF)
set(FOREBAY_SANITIZE "" CACHE STRING "Comma-separated sanitizers for every target: address,undefined or thread")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# Paths below the source tree are hashed relative to the build, so that another clone finds the same objects.
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
                                  ${CCACHE_PROGRAM})
endif()

find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(OpenSSL 3.0 REQUIRED)
find_package(spdlog REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(uring REQUIRED IMPORTED_TARGET liburing)
pkg_check_modules(isal REQUIRED IMPORTED_TARGET libisal)
pkg_check_modules(pugixml REQUIRED IMPORTED_TARGET pugixml)

# Flags of every target of ours.
add_library(forebay_flags INTERFACE)
target_compile_options(forebay_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Werror)
target_compile_definitions(forebay_flags INTERFACE BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION
                                                   BOOST_ASIO_NO_DEPRECATED)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  find_program(LLD_PROGRAM NAMES ld.lld-19)
  if(LLD_PROGRAM)
    target_link_options(forebay_flags INTERFACE --ld-path=${LLD_PROGRAM})
  endif()
endif()
if(FOREBAY_SANITIZE)
  set(sanitizer_flags -fsanitize=${FOREBAY_SANITIZE} -fno-omit-frame-pointer)
  if(FOREBAY_SANITIZE MATCHES "undefined" AND CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    # Coroutine frames are called through pointers whose type UBSan cannot match.
    list(APPEND sanitizer_flags -fno-sanitize=function -fno-sanitize-recover=undefined)
  endif()
  target_compile_options(forebay_flags INTERFACE ${sanitizer_flags})
  target_link_options(forebay_flags INTERFACE ${sanitizer_flags})
endif()
if(FOREBAY_BUILD_FUZZ)
  target_compile_options(forebay_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
target_link_libraries(forebay_flags INTERFACE Boost::headers Threads::Threads)

# The one translation unit that compiles Asio and Beast.
add_library(forebay_asio STATIC ${CMAKE_SOURCE_DIR}/cmake/asio_beast.cpp)
target_link_libraries(forebay_asio PUBLIC forebay_flags OpenSSL::SSL OpenSSL::Crypto)
