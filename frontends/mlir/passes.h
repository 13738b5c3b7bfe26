// Passes of kiln's own, which make kernels of functions: what MLIR has none for.
//
//   kiln-keep-arguments       of builtin.module, before bufferization: marks tensors that functions take as
//   not
//                             writable where they do not say whether they are.
//   kiln-generalize-copies    of func.func: makes each memref.copy a linalg.generic.
//   kiln-map-parallel-loops   of func.func: tiles each outermost scf.parallel without a reduction and maps it
//                             onto a grid. The last dimension goes over blocks of up to 256 threads along x,
//                             the two before it over blocks along y and z, others are loops.
//   kiln-sink-into-launches   of func.func: computes what a gpu.launch uses within it, from the arguments of
//                             the function. What has an effect or reads memory is an error.
//   kiln-name-kernels         of builtin.module, behind gpu-kernel-outlining: gives the kernels of a function
//                             that had a gpu.launch its arguments, in order, and its name, with a number
//                             behind it where there are several: "f_0". What such a function does
//                             besides is an error. Kernels that were there stay as they
//                             are.
#pragma once

namespace kiln::mlirir {

// Makes them known to pipelines. Once in a process.
void registerPasses();

}  // namespace kiln::mlirir
