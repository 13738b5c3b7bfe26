# find_package(kiln) gives kiln::kiln: libkiln with its headers.
include("${CMAKE_CURRENT_LIST_DIR}/kiln-targets.cmake")
