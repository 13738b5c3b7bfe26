// A runtime that tunes a kernel: it asks kiln for one variant after the other, times those that there are,
// and keeps the fastest. kiln compiles each variant once on a machine, and remembers of the impossible ones
// that they are: the next run, of any process, tunes without a compiler.
//
// The kernel adds to each row of c the product of a row of a and the matrix b, a tile of columns at a time. A
// tile that does not divide the columns is impossible: MLIR refuses to split them so.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <kiln/kiln.hpp>
#include <limits>
#include <string>
#include <vector>

namespace {

constexpr int kSize = 192;  // rows and columns of every matrix
constexpr int kTiles[] = {1, 4, 7, 8, 16, 24, 32, 48, 50, 64, 96, 192};

using Kernel = void(const float* a, const float* b, float* c);

std::string sourceFor(int tile) {
  const auto size = std::to_string(kSize), tiles = std::to_string(kSize / tile),
             length = std::to_string(tile);
  const auto whole = "memref<" + size + "x" + size + "xf32>";
  const auto split = "memref<" + size + "x" + tiles + "x" + length + "xf32>";
  return "func.func @product(%a: " + whole + ", %b: " + whole + ", %c: " + whole + ") {\n" +
         "  %bs = memref.expand_shape %b [[0], [1, 2]] output_shape [" + size + ", " + tiles + ", " + length +
         "] : " + whole + " into " + split + "\n" +
         "  %cs = memref.expand_shape %c [[0], [1, 2]] output_shape [" + size + ", " + tiles + ", " + length +
         "] : " + whole + " into " + split + "\n" +
         "  linalg.generic {indexing_maps = [affine_map<(i, t, k, j) -> (i, k)>,\n"
         "      affine_map<(i, t, k, j) -> (k, t, j)>, affine_map<(i, t, k, j) -> (i, t, j)>],\n"
         "      iterator_types = [\"parallel\", \"parallel\", \"reduction\", \"parallel\"]}\n"
         "      ins(%a, %bs : " +
         whole + ", " + split + ") outs(%cs : " + split + ") {\n" +
         "  ^bb0(%x: f32, %y: f32, %sum: f32):\n"
         "    %more = math.fma %x, %y, %sum : f32\n    linalg.yield %more : f32\n  }\n  return\n}\n";
}

double millisecondsOf(Kernel* kernel, std::vector<float>& a, std::vector<float>& b, std::vector<float>& c) {
  auto best = std::numeric_limits<double>::infinity();
  for (int i = 0; i < 5; ++i) {
    std::fill(c.begin(), c.end(), 0.0f);
    const auto start = std::chrono::steady_clock::now();
    kernel(a.data(), b.data(), c.data());
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    best = std::min(best, took.count());
  }
  return best;
}

const char* outcomeOf(const kiln::Module& module) {
  if (module.result() == nullptr) return "not asked for";
  return kiln_result_outcome(module.result()) == KILN_HIT ? "from the cache" : "compiled now";
}

}  // namespace

int main() {
  kiln::Client client;
  std::vector<float> a(kSize * kSize, 0.5f), b(kSize * kSize, 2.0f), c(kSize * kSize);
  auto fastest = std::numeric_limits<double>::infinity();
  int chosen = 0;
  for (int tile : kTiles) {
    kiln::Request request(sourceFor(tile));
    request.language(KILN_MLIR).name("product.mlir").target("host").option("-O3");
    auto module = client.load(request, KILN_LOADER_HOST);
    std::cout << "tile " << tile << ": ";
    if (module.status() == KILN_COMPILE_ERROR) {
      std::cout << "impossible, " << outcomeOf(module) << "\n";
      continue;
    }
    auto* kernel = module.function<Kernel>("product");
    if (kernel == nullptr) {
      std::cerr << "autotune: " << module.statusName() << ": " << module.message() << "\n";
      return EXIT_FAILURE;
    }
    const auto milliseconds = millisecondsOf(kernel, a, b, c);
    if (std::any_of(c.begin(), c.end(), [](float value) { return value != kSize; })) {
      std::cerr << "autotune: tile " << tile << " computes something else\n";
      return EXIT_FAILURE;
    }
    std::cout << milliseconds << " ms, " << outcomeOf(module) << "\n";
    if (milliseconds < fastest) {
      fastest = milliseconds;
      chosen = tile;
    }
  }
  std::cout << "chosen: tile " << chosen << "\n";
  return chosen != 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
