# Cap'n Proto, built by scripts/setup from Debian's source package as static, position-independent libraries with
# hidden symbols, so that libkiln carries it without exporting it and lives beside another copy in one process.
# The schema compiler is Debian's own program of the same version.

set(capnproto_root "${KILN_DEPS_DIR}/capnproto")
if(NOT EXISTS "${capnproto_root}/lib/libcapnp-rpc.a")
  message(FATAL_ERROR "Cap'n Proto is not in ${capnproto_root}; run scripts/setup first (scripts/demo and scripts/test do)")
endif()
find_program(CAPNP_PROGRAM capnp REQUIRED)

function(kiln_import_capnproto target library)
  add_library(${target} STATIC IMPORTED GLOBAL)
  set_target_properties(${target} PROPERTIES
    IMPORTED_LOCATION "${capnproto_root}/lib/lib${library}.a"
    INTERFACE_INCLUDE_DIRECTORIES "${capnproto_root}/include"
    # KJ's interfaces have no virtual destructors: a kj::Own disposes of the object that it was made for.
    INTERFACE_COMPILE_OPTIONS "-Wno-non-virtual-dtor"
    INTERFACE_LINK_LIBRARIES "${ARGN}")
endfunction()
kiln_import_capnproto(CapnProto::kj kj Threads::Threads)
kiln_import_capnproto(CapnProto::kj-async kj-async CapnProto::kj)
kiln_import_capnproto(CapnProto::capnp capnp CapnProto::kj)
kiln_import_capnproto(CapnProto::capnp-rpc capnp-rpc "CapnProto::capnp;CapnProto::kj-async")
# GCC 12 sees uninitialised members in KJ's promises of standard types where there are none.
set_property(TARGET CapnProto::kj APPEND PROPERTY INTERFACE_COMPILE_OPTIONS -Wno-maybe-uninitialized)
