# Precompiled headers: KJ and Catch2 take seconds to read, most files here a fraction of one. Three sets, each compiled
# once and shared by every target that it helps. Files never rely on them: without KILN_PRECOMPILE everything builds the
# same, only slower. kiln-compiler's own parts, which define functions of the C library, go without.

option(KILN_PRECOMPILE "Share precompiled headers between targets" OFF)
if(NOT KILN_PRECOMPILE)
  return()
endif()

set(empty "${CMAKE_BINARY_DIR}/precompiled.cc")
file(WRITE "${empty}.new" "// Carries precompiled headers.\n")
file(COPY_FILE "${empty}.new" "${empty}" ONLY_IF_DIFFERENT)

set(standard <algorithm> <array> <chrono> <cstdint> <expected> <filesystem> <fstream> <functional> <map> <memory>
  <mutex> <optional> <set> <span> <sstream> <string> <string_view> <thread> <unordered_map> <utility> <variant> <vector>)
set(loop <capnp/rpc-twoparty.h> <capnp/serialize-async.h> <kj/async-io.h> <kj/async-unix.h> <kj/debug.h>)

# kiln_share_headers(CARRIER HEADERS header... LIBRARIES library... TARGETS target...)
function(kiln_share_headers carrier)
  cmake_parse_arguments(arg "" "" "HEADERS;LIBRARIES;TARGETS" ${ARGN})
  add_library(${carrier} STATIC "${empty}")
  target_precompile_headers(${carrier} PRIVATE ${arg_HEADERS})
  target_link_libraries(${carrier} PRIVATE ${arg_LIBRARIES})
  foreach(target IN LISTS arg_TARGETS)
    get_target_property(type ${target} TYPE)
    if(type STREQUAL "EXECUTABLE")
      # The carrier's code has to be of the same kind.
      set_target_properties(${target} ${carrier} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    endif()
    target_precompile_headers(${target} REUSE_FROM ${carrier})
  endforeach()
endfunction()

kiln_share_headers(precompiled_standard HEADERS ${standard}
  TARGETS kiln_jit_values kiln_jit kiln_binary kiln_oci kiln_store_formats kiln_cache kiln_request_options
    kiln_frontend_parts kiln_hiprtc kiln_nvjitlink kiln_nvrtc kiln_rtc kiln_frontends kiln_cli)
kiln_share_headers(precompiled_loop HEADERS ${standard} ${loop} LIBRARIES CapnProto::capnp-rpc
  TARGETS kiln_service kiln_pool kiln_rpc kiln_client)
if(BUILD_TESTING)
  kiln_share_headers(precompiled_tests HEADERS ${standard} <catch2/catch.hpp>
    TARGETS test_bundle test_jit test_jit_binary test_cache test_frontends test_frontends_hiprtc test_frontends_nvjitlink
      test_frontends_nvrtc test_client_cli test_store_conformance)
  kiln_share_headers(precompiled_loop_tests HEADERS ${standard} ${loop} <catch2/catch.hpp> LIBRARIES CapnProto::capnp-rpc
    TARGETS test_client test_client_c_api test_frontends_process test_jit_service test_rpc test_rpc_schema
      test_rpc_toolchain_survey test_pool)
  # As tests/CMakeLists.txt has it: headers serve what is compiled as they are.
  get_property(options DIRECTORY tests PROPERTY COMPILE_OPTIONS)
  get_property(own_options DIRECTORY PROPERTY COMPILE_OPTIONS)
  list(REMOVE_ITEM options ${own_options})
  target_compile_options(precompiled_tests PRIVATE ${options})
  target_compile_options(precompiled_loop_tests PRIVATE ${options})
endif()
