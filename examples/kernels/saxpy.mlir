// y = a x + y in MLIR, for GPUs of both vendors and for processors: kernel saxpy(a, x, y), two addresses behind a; on a GPU
// launched as 16 blocks of 256 threads.
//     kiln compile saxpy.mlir --target gfx942 -o saxpy.hsaco
//     kiln run saxpy.mlir --kernel saxpy --arg f32=2 --arg 'f32[4096]' --arg 'f32[4096]'
func.func @saxpy(%a: f32, %x: memref<4096xf32>, %y: memref<4096xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : memref<4096xf32>) outs(%y : memref<4096xf32>) {
  ^bb0(%x_value: f32, %y_value: f32):
    %sum = math.fma %a, %x_value, %y_value : f32
    linalg.yield %sum : f32
  }
  return
}
