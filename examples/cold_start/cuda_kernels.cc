// What a language model's runtime keeps on a GPU: small kernels over operations, types and sizes, larger ones
// with unrolled bodies, and some that include CUB. A file holds templates; a kernel is one instance of one.
#include <string>
#include <vector>

#include "kernels.h"

namespace {

using Names = std::vector<std::string>;

// In front of every file: numbers are computed with as float or double, and kept as one of three types.
constexpr char kNumbers[] = R"(
struct bf16 { unsigned short bits; };

__device__ float wide(float value) { return value; }
__device__ double wide(double value) { return value; }
__device__ float wide(bf16 value) { return __uint_as_float(unsigned(value.bits) << 16); }

__device__ void put(float& place, double value) { place = value; }
__device__ void put(float& place, float value) { place = value; }
__device__ void put(double& place, double value) { place = value; }
__device__ void put(bf16& place, double value) {
  unsigned bits = __float_as_uint(float(value));
  place.bits = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;  // to the nearest, ties to even
}

template <typename T> struct Wide { using type = float; };
template <> struct Wide<double> { using type = double; };
)";

constexpr char kActivation[] = R"(
struct relu { template <typename V> __device__ V operator()(V x) { return x > 0 ? x : V(0); } };
struct sigmoid { template <typename V> __device__ V operator()(V x) { return 1 / (1 + exp(-x)); } };
struct silu { template <typename V> __device__ V operator()(V x) { return x / (1 + exp(-x)); } };
struct hyperbolic { template <typename V> __device__ V operator()(V x) { return tanh(x); } };
struct gelu {
  template <typename V> __device__ V operator()(V x) { return x / 2 * (1 + erf(x * V(0.70710678118654752))); }
};
struct quick_gelu { template <typename V> __device__ V operator()(V x) { return x / (1 + exp(V(-1.702) * x)); } };
struct softplus { template <typename V> __device__ V operator()(V x) { return x > 20 ? x : log1p(exp(x)); } };
struct elu { template <typename V> __device__ V operator()(V x) { return x > 0 ? x : expm1(x); } };
struct mish { template <typename V> __device__ V operator()(V x) { return x * tanh(log1p(exp(x))); } };
struct hard_swish {
  template <typename V> __device__ V operator()(V x) { return x * fmin(fmax(x + 3, V(0)), V(6)) / 6; }
};

template <typename Operation, typename T, int kPerThread>
__global__ void activation(const T* in, T* out, int size) {
  int first = (blockIdx.x * blockDim.x + threadIdx.x) * kPerThread;
#pragma unroll
  for (int i = 0; i < kPerThread; ++i) {
    if (first + i < size) put(out[first + i], Operation()(wide(in[first + i])));
  }
}

template <typename Operation, typename T>
__global__ void gated(const T* in, T* out, int columns) {
  const T* row = in + 2 * blockIdx.y * columns;
  int column = blockIdx.x * blockDim.x + threadIdx.x;
  if (column >= columns) return;
  put(out[blockIdx.y * columns + column], Operation()(wide(row[column])) * wide(row[columns + column]));
}
)";

constexpr char kBinary[] = R"(
struct add { template <typename V> __device__ V operator()(V a, V b) { return a + b; } };
struct multiply { template <typename V> __device__ V operator()(V a, V b) { return a * b; } };
struct divide { template <typename V> __device__ V operator()(V a, V b) { return a / b; } };
struct maximum { template <typename V> __device__ V operator()(V a, V b) { return fmax(a, b); } };

template <typename Operation, typename T, int kPerThread>
__global__ void binary(const T* a, const T* b, T* out, int size) {
  int first = (blockIdx.x * blockDim.x + threadIdx.x) * kPerThread;
#pragma unroll
  for (int i = 0; i < kPerThread; ++i) {
    if (first + i < size) put(out[first + i], Operation()(wide(a[first + i]), wide(b[first + i])));
  }
}
)";

constexpr char kReduction[] = R"(
struct sum {
  template <typename V> __device__ static V start() { return 0; }
  template <typename V> __device__ static V of(V x) { return x; }
  template <typename V> __device__ static V both(V a, V b) { return a + b; }
};
struct sum_of_squares : sum { template <typename V> __device__ static V of(V x) { return x * x; } };
struct maximum {
  template <typename V> __device__ static V start() { return -1e38f; }
  template <typename V> __device__ static V of(V x) { return x; }
  template <typename V> __device__ static V both(V a, V b) { return fmax(a, b); }
};
struct absolute_maximum : maximum { template <typename V> __device__ static V of(V x) { return fabs(x); } };

template <typename Operation, int kThreads, typename V>
__device__ V over_block(V value) {
  __shared__ V values[kThreads];
  values[threadIdx.x] = value;
#pragma unroll
  for (int stride = kThreads / 2; stride > 0; stride /= 2) {
    __syncthreads();
    if (threadIdx.x < stride) {
      values[threadIdx.x] = Operation::both(values[threadIdx.x], values[threadIdx.x + stride]);
    }
  }
  __syncthreads();
  V whole = values[0];
  __syncthreads();
  return whole;
}

template <typename Operation, int kThreads, typename T>
__device__ typename Wide<T>::type over_row(const T* row, int columns) {
  using V = typename Wide<T>::type;
  V value = Operation::template start<V>();
  for (int i = threadIdx.x; i < columns; i += kThreads) value = Operation::both(value, Operation::of(wide(row[i])));
  return over_block<Operation, kThreads>(value);
}

template <typename Operation, typename T, int kThreads>
__global__ void reduce_rows(const T* in, T* out, int columns) {
  auto value = over_row<Operation, kThreads>(in + blockIdx.x * columns, columns);
  if (threadIdx.x == 0) put(out[blockIdx.x], value);
}
)";

// Behind kReduction.
constexpr char kNorm[] = R"(
template <typename T, int kThreads>
__global__ void rms_norm(const T* in, const T* weight, T* out, int columns, float epsilon) {
  const T* row = in + blockIdx.x * columns;
  auto scale = rsqrt(over_row<sum_of_squares, kThreads>(row, columns) / columns + epsilon);
  for (int i = threadIdx.x; i < columns; i += kThreads) {
    put(out[blockIdx.x * columns + i], wide(row[i]) * scale * wide(weight[i]));
  }
}

template <typename T, int kThreads>
__global__ void layer_norm(const T* in, const T* weight, const T* bias, T* out, int columns, float epsilon) {
  const T* row = in + blockIdx.x * columns;
  auto mean = over_row<sum, kThreads>(row, columns) / columns;
  auto square = over_row<sum_of_squares, kThreads>(row, columns) / columns;
  auto scale = rsqrt(square - mean * mean + epsilon);
  for (int i = threadIdx.x; i < columns; i += kThreads) {
    put(out[blockIdx.x * columns + i], (wide(row[i]) - mean) * scale * wide(weight[i]) + wide(bias[i]));
  }
}
)";

constexpr char kLayout[] = R"(
template <typename T, int kTile>
__global__ void transpose(const T* in, T* out, int rows, int columns) {
  __shared__ T tile[kTile][kTile + 1];
  int row = blockIdx.y * kTile, column = blockIdx.x * kTile;
#pragma unroll
  for (int y = threadIdx.y; y < kTile; y += 8) {
    if (row + y < rows && column + threadIdx.x < columns) {
      tile[y][threadIdx.x] = in[(row + y) * columns + column + threadIdx.x];
    }
  }
  __syncthreads();
#pragma unroll
  for (int y = threadIdx.y; y < kTile; y += 8) {
    if (column + y < columns && row + threadIdx.x < rows) {
      out[(column + y) * rows + row + threadIdx.x] = tile[threadIdx.x][y];
    }
  }
}

template <typename From, typename To>
__global__ void cast(const From* in, To* out, int size) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < size) put(out[i], wide(in[i]));
}

template <typename T>
__global__ void embed(const int* tokens, const T* table, T* out, int columns) {
  for (int i = threadIdx.x; i < columns; i += blockDim.x) {
    out[blockIdx.x * columns + i] = table[tokens[blockIdx.x] * columns + i];
  }
}
)";

// 16 x 16 threads, each with a tile of kRows x kColumns of the product in its registers.
constexpr char kMatmul[] = R"(
template <typename T, int kRows, int kColumns, int kDepth>
__global__ void matmul(const T* a, const T* b, T* c, int rows, int columns, int depth) {
  constexpr int kHeight = 16 * kRows, kWidth = 16 * kColumns;
  __shared__ float as[kDepth][kHeight], bs[kDepth][kWidth];
  int row = blockIdx.y * kHeight, column = blockIdx.x * kWidth, thread = threadIdx.y * 16 + threadIdx.x;
  float sums[kRows][kColumns] = {};
  for (int k = 0; k < depth; k += kDepth) {
#pragma unroll
    for (int i = thread; i < kHeight * kDepth; i += 256) {
      as[i % kDepth][i / kDepth] = wide(a[(row + i / kDepth) * depth + k + i % kDepth]);
    }
#pragma unroll
    for (int i = thread; i < kWidth * kDepth; i += 256) {
      bs[i / kWidth][i % kWidth] = wide(b[(k + i / kWidth) * columns + column + i % kWidth]);
    }
    __syncthreads();
#pragma unroll
    for (int step = 0; step < kDepth; ++step) {
#pragma unroll
      for (int i = 0; i < kRows; ++i) {
#pragma unroll
        for (int j = 0; j < kColumns; ++j) {
          sums[i][j] += as[step][threadIdx.y * kRows + i] * bs[step][threadIdx.x * kColumns + j];
        }
      }
    }
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < kRows; ++i) {
#pragma unroll
    for (int j = 0; j < kColumns; ++j) {
      put(c[(row + threadIdx.y * kRows + i) * columns + column + threadIdx.x * kColumns + j], sums[i][j]);
    }
  }
}
)";

// A thread has a row of queries, and goes once over keys and values: the softmax is rescaled as its maximum
// grows.
constexpr char kAttention[] = R"(
struct causal { __device__ static int keys(int query, int size) { return query + 1; } };
struct full { __device__ static int keys(int query, int size) { return size; } };

template <typename Mask, typename T, int kHead>
__global__ void attention(const T* queries, const T* keys, const T* values, T* out, int size, float scale) {
  int query = blockIdx.x * blockDim.x + threadIdx.x;
  if (query >= size) return;
  float row[kHead], sums[kHead] = {}, most = -1e38f, total = 0;
#pragma unroll
  for (int i = 0; i < kHead; ++i) row[i] = wide(queries[query * kHead + i]) * scale;
  for (int key = 0; key < Mask::keys(query, size); ++key) {
    float score = 0;
#pragma unroll
    for (int i = 0; i < kHead; ++i) score += row[i] * wide(keys[key * kHead + i]);
    float now = fmaxf(most, score), kept = __expf(most - now), weight = __expf(score - now);
    most = now;
    total = total * kept + weight;
#pragma unroll
    for (int i = 0; i < kHead; ++i) sums[i] = sums[i] * kept + weight * wide(values[key * kHead + i]);
  }
#pragma unroll
  for (int i = 0; i < kHead; ++i) put(out[query * kHead + i], sums[i] / total);
}
)";

// A warp has a row, all of it in registers.
constexpr char kSoftmax[] = R"(
template <typename Pick>
__device__ float over_warp(float value, Pick pick) {
#pragma unroll
  for (int lanes = 16; lanes > 0; lanes /= 2) value = pick(value, __shfl_xor_sync(~0u, value, lanes));
  return value;
}

template <typename T, int kColumns>
__global__ void softmax(const T* in, T* out) {
  constexpr int kPerLane = kColumns / 32;
  int first = blockIdx.x * kColumns + threadIdx.x;
  float values[kPerLane], most = -1e38f, total = 0;
#pragma unroll
  for (int i = 0; i < kPerLane; ++i) most = fmaxf(most, values[i] = wide(in[first + 32 * i]));
  most = over_warp(most, [](float a, float b) { return fmaxf(a, b); });
#pragma unroll
  for (int i = 0; i < kPerLane; ++i) total += values[i] = expf(values[i] - most);
  total = over_warp(total, [](float a, float b) { return a + b; });
#pragma unroll
  for (int i = 0; i < kPerLane; ++i) put(out[first + 32 * i], values[i] / total);
}
)";

constexpr char kBlockSum[] = R"(#include <cub/block/block_reduce.cuh>

template <typename T, int kThreads>
__global__ void block_sum(const T* in, T* sums, int size) {
  using Reduce = cub::BlockReduce<T, kThreads>;
  __shared__ typename Reduce::TempStorage storage;
  int i = blockIdx.x * kThreads + threadIdx.x;
  T sum = Reduce(storage).Sum(i < size ? in[i] : T());
  if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}
)";

constexpr char kBlockScan[] = R"(#include <cub/block/block_scan.cuh>

template <typename T, int kThreads>
__global__ void block_scan(const T* in, T* out, int size) {
  using Scan = cub::BlockScan<T, kThreads>;
  __shared__ typename Scan::TempStorage storage;
  int i = blockIdx.x * kThreads + threadIdx.x;
  T value = i < size ? in[i] : T(), before;
  Scan(storage).ExclusiveSum(value, before);
  if (i < size) out[i] = before;
}
)";

constexpr char kBlockSort[] = R"(#include <cub/block/block_radix_sort.cuh>

template <typename T, int kThreads>
__global__ void block_sort(T* keys, int* places) {
  using Sort = cub::BlockRadixSort<T, kThreads, 1, int>;
  __shared__ typename Sort::TempStorage storage;
  int i = blockIdx.x * kThreads + threadIdx.x, place[] = {places[i]};
  T key[] = {keys[i]};
  Sort(storage).SortDescending(key, place);
  keys[i] = key[0];
  places[i] = place[0];
}
)";

const Names kTypes = {"float", "double", "bf16"};
const Names kHalves = {"float", "bf16"};  // whose wide type is float

// "matmul<float, 8, 4, 16>" and its like: every choice of one argument from each list.
Names instances(const std::string& name, const std::vector<Names>& lists) {
  Names heads = {name + "<"};
  for (std::size_t i = 0; i < lists.size(); ++i) {
    Names longer;
    for (const auto& head : heads) {
      for (const auto& argument : lists[i]) longer.push_back(head + (i == 0 ? "" : ", ") + argument);
    }
    heads = std::move(longer);
  }
  for (auto& head : heads) head += ">";
  return heads;
}

class List {
 public:
  void add(const std::string& file, const std::string& source, const std::string& name,
           const std::vector<Names>& lists) {
    for (auto& entry : instances(name, lists)) {
      kernels_.push_back({Language::cuda, file, kNumbers + source, std::move(entry), false, nullptr});
    }
  }
  void addWithCub(const std::string& file, const std::string& source, const std::string& name,
                  const std::vector<Names>& lists) {
    for (auto& entry : instances(name, lists)) {
      kernels_.push_back({Language::cuda, file, source, std::move(entry), true, nullptr});
    }
  }
  std::vector<Kernel> take() { return std::move(kernels_); }

 private:
  std::vector<Kernel> kernels_;
};

}  // namespace

std::vector<Kernel> cudaKernels() {
  const Names activations = {"relu",       "sigmoid",  "silu", "hyperbolic", "gelu",
                             "quick_gelu", "softplus", "elu",  "mish",       "hard_swish"};
  List list;
  // 150 small ones
  list.add("activation.cu", kActivation, "activation", {activations, kTypes, {"1", "4"}});
  list.add("activation.cu", kActivation, "gated", {{"silu", "gelu"}, kTypes});
  list.add("binary.cu", kBinary, "binary", {{"add", "multiply", "divide", "maximum"}, kTypes, {"1", "4"}});
  list.add("reduction.cu", kReduction, "reduce_rows",
           {{"sum", "sum_of_squares", "maximum", "absolute_maximum"}, kTypes, {"128", "256"}});
  for (const char* norm : {"rms_norm", "layer_norm"}) {
    list.add("norm.cu", std::string(kReduction) + kNorm, norm, {kTypes, {"128", "256", "512"}});
  }
  list.add("layout.cu", kLayout, "transpose", {kTypes, {"16", "32", "64"}});
  list.add("layout.cu", kLayout, "cast", {{"float"}, {"double", "bf16"}});
  list.add("layout.cu", kLayout, "cast", {{"double"}, {"float", "bf16"}});
  list.add("layout.cu", kLayout, "cast", {{"bf16"}, {"float", "double"}});
  list.add("layout.cu", kLayout, "embed", {kTypes});
  // 30 larger ones
  list.add("matmul.cu", kMatmul, "matmul", {kHalves, {"4", "8"}, {"2", "4", "8"}, {"16"}});
  list.add("attention.cu", kAttention, "attention", {{"causal", "full"}, kHalves, {"32", "64", "96"}});
  list.add("softmax.cu", kSoftmax, "softmax", {kHalves, {"512", "1024", "2048"}});
  // 6 with some 600 headers each
  list.addWithCub("block_sum.cu", kBlockSum, "block_sum", {{"float", "double"}, {"256"}});
  list.addWithCub("block_scan.cu", kBlockScan, "block_scan", {{"int", "float"}, {"256"}});
  list.addWithCub("block_sort.cu", kBlockSort, "block_sort", {{"float", "unsigned"}, {"256"}});
  return list.take();
}
