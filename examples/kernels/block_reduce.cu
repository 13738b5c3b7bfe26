// The sum of each block's part of `in`, with CUB: 30 lines of source that read some 600 headers. Needs CUB and the CUDA
// headers on the include path: -I /usr/local/cuda/include/cccl -I /usr/local/cuda/include
#include <cub/block/block_reduce.cuh>

template <typename T, int kThreads>
__global__ void blockSums(const T* in, T* sums, int n) {
  using Reduce = cub::BlockReduce<T, kThreads>;
  __shared__ typename Reduce::TempStorage storage;

  int i = blockIdx.x * kThreads + threadIdx.x;
  T value = i < n ? in[i] : T{};
  T sum = Reduce(storage).Sum(value);
  if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

template __global__ void blockSums<float, 128>(const float*, float*, int);
