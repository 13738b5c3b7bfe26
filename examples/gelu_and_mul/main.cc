// GeluAndMul on this machine's processor: compiled from MLIR by kiln, loaded and called; by plain C++ where
// no kernel is to be had. Compares both.
//
//     gelu_and_mul gelu_and_mul.mlir
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <kiln/kiln.hpp>
#include <random>
#include <string>
#include <vector>

namespace {

constexpr std::size_t kRows = 64, kColumns = 256;  // of the result

// What the kernel is held against, and what serves where there is none.
void reference(const float* x, float* out) {
  for (std::size_t row = 0; row < kRows; ++row) {
    for (std::size_t column = 0; column < kColumns; ++column) {
      const float a = x[row * 2 * kColumns + column];
      const float b = x[row * 2 * kColumns + kColumns + column];
      out[row * kColumns + column] = 0.5f * a * (1.0f + std::erf(a * 0.70710678f)) * b;
    }
  }
}

std::vector<float> randomNumbers(std::size_t count) {
  std::mt19937 source(7);
  std::uniform_real_distribution<float> distribution(-4, 4);
  std::vector<float> numbers(count);
  std::generate(numbers.begin(), numbers.end(), [&] { return distribution(source); });
  return numbers;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: gelu_and_mul FILE.mlir\n";
    return 2;
  }
  std::ifstream file(argv[1]);
  const std::string source(std::istreambuf_iterator<char>(file), {});

  kiln::Client client;
  kiln::Request request(source);
  request.language(KILN_MLIR).name("gelu_and_mul.mlir").target("host");
  auto module = client.load(request, KILN_LOADER_HOST);
  auto* kernel = module
                     ? module.function<void(const float*, float*, std::int64_t, std::int64_t)>("gelu_and_mul")
                     : nullptr;

  const auto x = randomNumbers(kRows * 2 * kColumns);
  std::vector<float> expected(kRows * kColumns), out(kRows * kColumns);
  reference(x.data(), expected.data());
  if (kernel != nullptr) {
    kernel(x.data(), out.data(), kRows, kColumns);
  } else {
    std::cerr << "gelu_and_mul: no kernel, so plain C++ it is: " << module.message() << "\n" << module.log();
    reference(x.data(), out.data());
  }

  float worst = 0;
  for (std::size_t i = 0; i < out.size(); ++i) worst = std::max(worst, std::abs(out[i] - expected[i]));
  std::cout << (kernel != nullptr ? "kernel" : "fallback") << ": max abs error " << worst << "\n";
  return worst <= 1e-3f ? EXIT_SUCCESS : EXIT_FAILURE;
}
