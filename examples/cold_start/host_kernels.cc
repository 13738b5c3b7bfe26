// What the same runtime computes on the processor: y = f(x, y) over vectors, in LLVM IR and in MLIR, and the
// same in C++ to hold them against.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "kernels.h"

namespace {

constexpr std::size_t kSize = 4096;

// What BODY stands in makes %r of %a and %b.
constexpr char kLlvmIr[] = R"(define void @ENTRY(ptr %x, ptr %y) {
entry:
  br label %loop
loop:
  %i = phi i64 [0, %entry], [%next, %loop]
  %x_place = getelementptr TYPE, ptr %x, i64 %i
  %y_place = getelementptr TYPE, ptr %y, i64 %i
  %a = load TYPE, ptr %x_place
  %b = load TYPE, ptr %y_place
  BODY
  store TYPE %r, ptr %y_place
  %next = add i64 %i, 1
  %more = icmp ult i64 %next, SIZE
  br i1 %more, label %loop, label %done
done:
  ret void
}
)";

constexpr char kMlir[] = R"(func.func @ENTRY(%x: memref<SIZExf32>, %y: memref<SIZExf32>) {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : memref<SIZExf32>) outs(%y : memref<SIZExf32>) {
  ^bb0(%a: f32, %b: f32):
    BODY
    linalg.yield %r : f32
  }
  return
}
)";

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size()) {
    text.replace(at, what.size(), by);
  }
  return text;
}

// Calls the kernel, and `expected` in plain C++, on the same numbers.
template <typename T, typename Expected>
auto comparedWith(Expected expected) {
  return [expected](void* function) {
    std::vector<T> x(kSize), y(kSize), wanted(kSize);
    for (std::size_t i = 0; i < kSize; ++i) {
      x[i] = static_cast<T>(i) / 512 - 4;
      y[i] = static_cast<T>(i % 7) / 4 - 1;
      wanted[i] = expected(x[i], y[i]);
    }
    reinterpret_cast<void (*)(const T*, T*)>(function)(x.data(), y.data());
    return std::equal(y.begin(), y.end(), wanted.begin(), [](T is, T should) {
      return std::abs(is - should) <= T(1e-5) * std::max(T(1), std::abs(should));
    });
  };
}

class List {
 public:
  // For float and double.
  template <typename Expected>
  void addLlvmIr(const std::string& name, const std::string& body, Expected expected) {
    const auto text = replaced(kLlvmIr, "BODY", body);
    add(Language::llvmIr, name + "_f32", ".ll", replaced(text, "TYPE", "float"),
        comparedWith<float>(expected));
    add(Language::llvmIr, name + "_f64", ".ll", replaced(text, "TYPE", "double"),
        comparedWith<double>(expected));
  }
  template <typename Expected>
  void addMlir(const std::string& entry, const std::string& body, Expected expected) {
    add(Language::mlir, entry, ".mlir", replaced(kMlir, "BODY", body), comparedWith<float>(expected));
  }
  std::vector<Kernel> take() { return std::move(kernels_); }

 private:
  void add(Language language, const std::string& entry, const char* extension, const std::string& text,
           std::function<bool(void*)> isRight) {
    auto source = replaced(replaced(text, "ENTRY", entry), "SIZE", std::to_string(kSize));
    kernels_.push_back({language, entry + extension, std::move(source), entry, false, std::move(isRight)});
  }

  std::vector<Kernel> kernels_;
};

// 1 + exp(-a), for the kernels that divide by it.
constexpr char kDivisor[] = R"(%one = arith.constant 1.0 : f32
    %minus = arith.negf %a : f32
    %exp = math.exp %minus : f32
    %divisor = arith.addf %one, %exp : f32
    )";

}  // namespace

std::vector<Kernel> hostKernels() {
  List list;
  list.addLlvmIr("add", "%r = fadd TYPE %a, %b", [](auto a, auto b) { return a + b; });
  list.addLlvmIr("subtract", "%r = fsub TYPE %a, %b", [](auto a, auto b) { return a - b; });
  list.addLlvmIr("multiply", "%r = fmul TYPE %a, %b", [](auto a, auto b) { return a * b; });
  list.addLlvmIr("maximum", "%is_more = fcmp ogt TYPE %a, %b\n  %r = select i1 %is_more, TYPE %a, TYPE %b",
                 [](auto a, auto b) { return std::max(a, b); });
  list.addLlvmIr("add_twice", "%twice = fmul TYPE %a, 2.0\n  %r = fadd TYPE %twice, %b",
                 [](auto a, auto b) { return 2 * a + b; });
  list.addMlir("relu", "%zero = arith.constant 0.0 : f32\n    %r = arith.maximumf %a, %zero : f32",
               [](float a, float) { return std::max(a, 0.0f); });
  list.addMlir("hyperbolic", "%r = math.tanh %a : f32", [](float a, float) { return std::tanh(a); });
  list.addMlir("sigmoid", kDivisor + std::string("%r = arith.divf %one, %divisor : f32"),
               [](float a, float) { return 1 / (1 + std::exp(-a)); });
  list.addMlir("silu", kDivisor + std::string("%r = arith.divf %a, %divisor : f32"),
               [](float a, float) { return a / (1 + std::exp(-a)); });
  return list.take();
}
