// y = a x + y in HIP, launched with one thread for each element.
//     kiln compile saxpy.hip --target gfx90a -o saxpy.hsaco
extern "C" __global__ void saxpy(float a, const float* x, float* y, long n) {
  const long i = blockIdx.x * static_cast<long>(blockDim.x) + threadIdx.x;
  if (i < n) y[i] = a * x[i] + y[i];
}
