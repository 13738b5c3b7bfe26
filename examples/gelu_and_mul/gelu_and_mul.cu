// GeluAndMul in CUDA and in HIP: of each row of x, of 2d columns, the exact gelu of the first d times the second d.
// Launched with a block for each row; d is the macro D.
//     kiln compile gelu_and_mul.cu --target sm_90a -D D=256 -o gelu.cubin
//     kiln compile gelu_and_mul.cu --language hip --target gfx90a -D D=256 -o gelu.hsaco
extern "C" __global__ void gelu_and_mul(const float* x, float* out) {
  const float* row = x + static_cast<long>(blockIdx.x) * 2 * D;
  for (int i = threadIdx.x; i < D; i += blockDim.x) {
    const float a = row[i];
    const float gelu = a * 0.5f * (1.0f + erff(a * 0.70710678f));
    out[static_cast<long>(blockIdx.x) * D + i] = gelu * row[D + i];
  }
}
