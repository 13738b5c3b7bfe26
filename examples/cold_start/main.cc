// Starts as an inference runtime does: gets 200 kernels by kiln, and is ready when it has them all. The
// binaries for the GPU are looked at and not loaded; the processor's kernels are loaded, called, and compared
// with C++. On a node that has compiled them before, or that was given them in a bundle, that takes no
// compiler.
//
//     cold_start [--target sm_90] [--threads N] [-I DIRECTORY]...
//
// CUB's headers and CUDA's must be below the directories: -I $CUDA_HOME/include/cccl -I $CUDA_HOME/include.
// The kernels are got one after the other unless there are several threads.
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <kiln/kiln.hpp>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "kernels.h"

namespace {

struct Arguments {
  std::string target = "sm_90";
  int threads = 1;
  std::vector<std::string> includes;
};

[[noreturn]] void misused() {
  std::cerr << "usage: cold_start [--target sm_90] [--threads N] [-I DIRECTORY]...\n";
  std::exit(2);
}

Arguments parse(int count, char** values) {
  Arguments arguments;
  for (int i = 1; i < count; i += 2) {
    const std::string_view name = values[i];
    if (i + 1 == count) misused();
    if (name == "--target") {
      arguments.target = values[i + 1];
    } else if (name == "--threads" && std::atoi(values[i + 1]) > 0) {
      arguments.threads = std::atoi(values[i + 1]);
    } else if (name == "-I") {
      arguments.includes.emplace_back(values[i + 1]);
    } else {
      misused();
    }
  }
  return arguments;
}

kiln::Request requestFor(const Kernel& kernel, const Arguments& arguments) {
  kiln::Request request(kernel.source);
  request.name(kernel.file);
  if (kernel.language != Language::cuda) {
    request.language(kernel.language == Language::mlir ? KILN_MLIR : KILN_LLVM_IR).target("host");
    return request;
  }
  request.target(arguments.target).nameExpression(kernel.entry);
  if (!kernel.needsCub || arguments.includes.empty()) return request;
  for (const auto& directory : arguments.includes) request.includeDirectory(directory);
  // CUB's headers use __FILE__, so that paths are a part of what is compiled: where the application happens
  // to be started must not be.
  request.workingDirectory(arguments.includes.front());
  return request;
}

// All kernels of the application, got by as many threads as are started.
class Startup {
 public:
  Startup(std::vector<Kernel> kernels, const Arguments& arguments)
      : kernels_(std::move(kernels)), arguments_(arguments) {}

  // Until all are there, or one is not to be had.
  void run() {
    for (auto next = next_++; next < kernels_.size() && !hasFailed_; next = next_++) get(kernels_[next]);
  }

  // What became of them; whether all are there.
  bool report(double seconds) const {
    if (hasFailed_) return false;
    std::cout << kernels_.size() << " kernels: " << outcomes_[KILN_HIT] << " hits, " << outcomes_[KILN_MISS]
              << " compiled, " << outcomes_[KILN_JOINED] << " joined; " << loaded_ << " of them called here; "
              << seconds << " s\n";
    return true;
  }

 private:
  void get(const Kernel& kernel) {
    const auto request = requestFor(kernel, arguments_);
    if (kernel.language == Language::cuda) {
      getForGpu(kernel, request);
    } else {
      getForHost(kernel, request);
    }
  }

  // With a GPU, cuModuleLoadData() and cuModuleGetFunction() would follow.
  void getForGpu(const Kernel& kernel, const kiln::Request& request) {
    const auto result = client_.compile(request);
    if (!result) return fail(kernel, result.statusName(), result.message(), result.log());
    constexpr std::string_view kElf = "\177ELF";
    if (result.cubin().substr(0, kElf.size()) != kElf || *result.loweredName(kernel.entry) == '\0') {
      return fail(kernel, "no kernel", "what was compiled is no cubin that holds it", "");
    }
    ++outcomes_[result.outcome()];
  }

  void getForHost(const Kernel& kernel, const kiln::Request& request) {
    auto module = client_.load(request, KILN_LOADER_HOST);
    if (!module) return fail(kernel, module.statusName(), module.message(), module.log());
    void* function = module.function(kernel.entry);
    if (function == nullptr) return fail(kernel, module.statusName(), module.message(), "");
    if (!kernel.isRight(function))
      return fail(kernel, "wrong", "it computes something else than C++ does", "");
    ++outcomes_[kiln_result_outcome(module.result())];
    ++loaded_;
  }

  void fail(const Kernel& kernel, std::string_view status, std::string_view message, std::string_view log) {
    const std::lock_guard lock(standardError_);
    hasFailed_ = true;
    std::cerr << "cold_start: " << nameOf(kernel) << ": " << status << ": " << message << "\n" << log;
  }

  const std::vector<Kernel> kernels_;
  const Arguments& arguments_;
  const kiln::Client client_;  // of all threads
  std::atomic<std::size_t> next_ = 0;
  std::atomic<int> outcomes_[3] = {};  // by kiln_outcome
  std::atomic<int> loaded_ = 0;
  std::atomic<bool> hasFailed_ = false;
  std::mutex standardError_;
};

}  // namespace

int main(int count, char** values) {
  const auto arguments = parse(count, values);
  const auto start = std::chrono::steady_clock::now();
  Startup startup(applicationKernels(), arguments);
  std::vector<std::thread> others(arguments.threads - 1);
  for (auto& other : others) other = std::thread([&] { startup.run(); });
  startup.run();
  for (auto& other : others) other.join();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  return startup.report(took.count()) ? EXIT_SUCCESS : EXIT_FAILURE;
}
