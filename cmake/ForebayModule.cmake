# forebay_module(NAME DEPS rooms...): one room of the house as a static library `forebay_NAME`.
# Sources are src/NAME/*.cpp; include/forebay/NAME/ is what other rooms may include; src/NAME/ is private.
set(FOREBAY_LAYERS "" CACHE INTERNAL "")

# Third-party libraries by room.
set(FOREBAY_LIBS_base spdlog::spdlog)
set(FOREBAY_LIBS_runtime forebay_asio)
set(FOREBAY_LIBS_io PkgConfig::uring)
set(FOREBAY_LIBS_net OpenSSL::SSL)
set(FOREBAY_LIBS_s3 OpenSSL::Crypto PkgConfig::pugixml PkgConfig::isal Boost::json)
set(FOREBAY_LIBS_origin Boost::json PkgConfig::pugixml)
set(FOREBAY_LIBS_cache PkgConfig::isal OpenSSL::Crypto)
set(FOREBAY_LIBS_admin Boost::json)
set(FOREBAY_LIBS_config yaml-cpp)
set(FOREBAY_LIBS_app CLI11::CLI11)

function(forebay_module name)
  cmake_parse_arguments(arg "" "" "DEPS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cpp)
  list(REMOVE_ITEM sources ${CMAKE_SOURCE_DIR}/src/app/main.cpp)
  add_library(forebay_${name} STATIC ${sources})
  target_include_directories(forebay_${name} PUBLIC ${CMAKE_SOURCE_DIR}/include PRIVATE ${CMAKE_SOURCE_DIR}/src)
  list(TRANSFORM arg_DEPS PREPEND forebay_ OUTPUT_VARIABLE libraries)
  target_link_libraries(forebay_${name} PUBLIC forebay_flags ${libraries} ${FOREBAY_LIBS_${name}})
  list(JOIN arg_DEPS "\", \"" joined)
  if(joined)
    set(joined "\"${joined}\"")
  endif()
  set(FOREBAY_LAYERS "${FOREBAY_LAYERS}, \"${name}\": [${joined}]" CACHE INTERNAL "")
endfunction()

# Writes build/<preset>/layers.json: room -> rooms it names, for tests/tidy/check_layers.py.
function(forebay_write_layers)
  string(SUBSTRING "${FOREBAY_LAYERS}" 1 -1 body)
  file(WRITE ${CMAKE_BINARY_DIR}/layers.json "{${body}\n}\n")
endfunction()
