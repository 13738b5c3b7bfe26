// GeluAndMul: of each row of x, of 2d columns, the exact gelu of the first d times the second d. One source for NVIDIA, AMD
// and the CPU:
//     kiln compile gelu_and_mul.mlir --target sm_90a -o gelu.cubin    (or gfx942, or host)
// The kernel is gelu_and_mul(x, out), two addresses; on a GPU a block of 256 threads for each row.
func.func @gelu_and_mul(%x: memref<64x512xf32>, %out: memref<64x256xf32>) {
  %first = memref.subview %x[0, 0] [64, 256] [1, 1] : memref<64x512xf32> to memref<64x256xf32, strided<[512, 1]>>
  %second = memref.subview %x[0, 256] [64, 256] [1, 1]
      : memref<64x512xf32> to memref<64x256xf32, strided<[512, 1], offset: 256>>
  linalg.map
      ins(%first, %second : memref<64x256xf32, strided<[512, 1]>>, memref<64x256xf32, strided<[512, 1], offset: 256>>)
      outs(%out : memref<64x256xf32>)
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
