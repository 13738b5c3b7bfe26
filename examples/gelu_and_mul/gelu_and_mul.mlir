// GeluAndMul: of each row of x, of 2d columns, the exact gelu of the first d times the second d. One source for NVIDIA, AMD
// and the CPU:
//     kiln compile gelu_and_mul.mlir --target sm_90a -o gelu.cubin    (or gfx942, or host)
// The kernel is gelu_and_mul(x, out, rows, d): two addresses and two 64-bit numbers, since memrefs of a known shape are handed
// over as bare addresses. On a GPU it is launched with blocks of 256 threads, d / 256 of them, rounded up, along x, and one a
// row along y.
func.func @gelu_and_mul(%x: memref<f32>, %out: memref<f32>, %rows: index, %d: index) {
  %two = arith.constant 2 : index
  %columns = arith.muli %d, %two : index
  %first = memref.reinterpret_cast %x to offset: [0], sizes: [%rows, %d], strides: [%columns, 1]
      : memref<f32> to memref<?x?xf32, strided<[?, 1]>>
  %second = memref.reinterpret_cast %x to offset: [%d], sizes: [%rows, %d], strides: [%columns, 1]
      : memref<f32> to memref<?x?xf32, strided<[?, 1], offset: ?>>
  %result = memref.reinterpret_cast %out to offset: [0], sizes: [%rows, %d], strides: [%d, 1]
      : memref<f32> to memref<?x?xf32, strided<[?, 1]>>
  linalg.map
      ins(%first, %second : memref<?x?xf32, strided<[?, 1]>>, memref<?x?xf32, strided<[?, 1], offset: ?>>)
      outs(%result : memref<?x?xf32, strided<[?, 1]>>)
      (%a: f32, %b: f32, %unused: f32) {
        %half = arith.constant 0.5 : f32
        %one = arith.constant 1.0 : f32
        %root_half = arith.constant 0.70710678 : f32
        %scaled = arith.mulf %a, %root_half : f32
        %erf = math.erf %scaled : f32
        %sum = arith.addf %erf, %one : f32
        %weight = arith.mulf %sum, %half : f32
        %gelu = arith.mulf %a, %weight : f32
        %product = arith.mulf %gelu, %b : f32
        linalg.yield %product : f32
      }
  return
}
