# Shared by the scripts of this folder, sourced from a script that stands beside it.
# Sets root (the checkout), build and deps, and knows where the CUDA parts are.

set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/build
deps=$build/deps

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }
die() { say "$*"; exit 1; }

# Runs a command, showing what it printed only if it fails.
quietly() {
  local log
  log=$(mktemp)
  if ! "$@" >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    say "failed: $*"
    return 1
  fi
  rm -f "$log"
}

# The CUDA 13.0 toolkit of this machine, if it has one that can serve: NVRTC and the headers of CUB.
toolkit() {
  local candidate
  for candidate in "${CUDA_HOME:-}" /usr/local/cuda-13.0 /usr/local/cuda; do
    [ -n "$candidate" ] || continue
    [ -e "$candidate/lib64/libnvrtc-builtins.so.13.0" ] && [ -e "$candidate/include/cccl/cub/cub.cuh" ] || continue
    (cd "$candidate" && pwd -P)
    return
  done
  return 1
}

# Where the wheels that stand in for a toolkit are unpacked, and what a toolkit's root is in there.
wheels=$deps/cuda-13.0
wheels_home=$wheels/nvidia/cu13
old_nvrtc=$deps/nvrtc-12.9/nvidia/cuda_nvrtc

# CUDA 13.0's root: a toolkit, else the wheels. NVRTC is in its lib64 or lib, headers are in include.
cuda_home() { toolkit || printf '%s\n' "$wheels_home"; }

# The include directories for CUB and the runtime headers below CUDA's root $1, ':'-separated.
cuda_includes() { printf '%s:%s\n' "$1/include/cccl" "$1/include"; }
# The folder of NVRTC 13.0 below CUDA's root $1.
nvrtc_folder() { dirname "$(ls "$1"/lib64/libnvrtc.so.13 "$1"/lib/libnvrtc.so.13 2>/dev/null | head -1)"; }

# nvJitLink 13.0 of the toolkit, if it has one.
nvjitlink_of_toolkit() {
  local cuda
  if cuda=$(toolkit); then ls "$cuda/lib64/libnvJitLink.so.13" 2>/dev/null || true; fi
}

# libdevice of the toolkit, if it has one.
libdevice_of_toolkit() {
  local cuda
  if cuda=$(toolkit); then ls "$cuda/nvvm/libdevice/libdevice.10.bc" 2>/dev/null || true; fi
}

# All that `cmake --install` installs, as targets; tests and what only they need are none of it.
programs() {
  printf '%s\n' kilnd kiln kiln-compiler libkiln
  if [ -e /usr/lib/llvm-22/include/lld ]; then printf '%s\n' kiln-compiler-llvm; fi
  if [ -e /usr/lib/llvm-22/include/lld ] && [ -e /usr/lib/llvm-22/include/mlir ]; then printf '%s\n' kiln-compiler-mlir; fi
}

# Configures and builds a preset: $1, and what else cmake --build is to be told.
build_preset() {
  (cd "$root" && quietly cmake --preset "$1" && quietly cmake --build --preset "$1" "${@:2}")
}

# Tells the tests where the compilers and headers are, and the sanitizers what to hold against a program.
export_test_environment() {
  local cuda
  cuda=$(cuda_home)
  KILN_TEST_NVRTC_13_0=$(nvrtc_folder "$cuda")
  export KILN_TEST_NVRTC_13_0
  export KILN_TEST_NVRTC_12_9=$old_nvrtc/lib
  KILN_TEST_NVJITLINK_13_0=$(nvjitlink_of_toolkit)
  export KILN_TEST_NVJITLINK_13_0=${KILN_TEST_NVJITLINK_13_0:-$deps/nvjitlink-13.0/nvidia/cu13/lib/libnvJitLink.so.13}
  export KILN_TEST_NVJITLINK_12_9=$deps/nvjitlink-12.9/nvidia/nvjitlink/lib/libnvJitLink.so.12
  KILN_TEST_LIBDEVICE=$(libdevice_of_toolkit)
  export KILN_TEST_LIBDEVICE=${KILN_TEST_LIBDEVICE:-$deps/nvvm-13.0/nvidia/cu13/nvvm/libdevice/libdevice.10.bc}
  export KILN_TEST_HIPRTC=/usr/lib/x86_64-linux-gnu/libamdhip64.so.5
  export KILN_TEST_CUOBJDUMP=$deps/cuobjdump/nvidia/cu13/bin/cuobjdump
  export KILN_TEST_NVDISASM=$deps/nvdisasm/nvidia/cu13/bin/nvdisasm
  KILN_TEST_CUDA_INCLUDES=$(cuda_includes "$cuda")
  export KILN_TEST_CUDA_INCLUDES
  export KILN_TEST_CAPNP_IMPORTS=$deps/capnproto/include
  export LSAN_OPTIONS=suppressions=$root/tests/sanitizers/leaks.txt:print_suppressions=0
  # Undefined behaviour is a SIGILL (CMakeLists.txt).
  export ASAN_OPTIONS=handle_sigill=1
  export TSAN_OPTIONS=halt_on_error=1
}
