# libkiln exports its C ABI and nothing else: cmake -DLIBRARY=libkiln.so -DNM=nm -P exports_test.cmake
cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND ${NM} --dynamic --defined-only ${LIBRARY} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^ \n]+\n" names "${symbols}")
list(TRANSFORM names STRIP)
if(NOT kiln_compile IN_LIST names AND NOT "kiln_compile@@KILN_0" IN_LIST names)
  message(FATAL_ERROR "${LIBRARY} does not export kiln_compile")
endif()
# The version's own symbol is how the linker names it.
list(FILTER names EXCLUDE REGEX "^(kiln_.*|KILN_0)$")
if(names)
  message(FATAL_ERROR "${LIBRARY} exports what is no part of kiln.h: ${names}")
endif()
