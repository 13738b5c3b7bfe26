// Compiles a file and loads it, by nothing but kiln.hpp, as a runtime would; prints what came of it, a line
// each. usage: load_kernel cuda-module|cuda-library|hip|host LANGUAGE FILE TARGET FUNCTION... Exit status: 0
// if it is loaded and has every function.
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <kiln/kiln.hpp>
#include <map>
#include <string>

int main(int count, char** arguments) {
  if (count < 5) return 2;
  const std::map<std::string, kiln_loader> loaders = {{"cuda-module", KILN_LOADER_CUDA_MODULE},
                                                      {"cuda-library", KILN_LOADER_CUDA_LIBRARY},
                                                      {"hip", KILN_LOADER_HIP_MODULE},
                                                      {"host", KILN_LOADER_HOST}};
  const std::map<std::string, kiln_language> languages = {
      {"cuda", KILN_CUDA}, {"hip", KILN_HIP}, {"llvm-ir", KILN_LLVM_IR}};
  std::ifstream file(arguments[3], std::ios::binary);
  const std::string source{std::istreambuf_iterator<char>(file), {}};

  const kiln::Client client;
  const auto request = std::move(
      kiln::Request(source).language(languages.at(arguments[2])).name(arguments[3]).target(arguments[4]));
  auto module = client.load(request, loaders.at(arguments[1]));
  std::cout << module.statusName() << ' ' << module.message() << '\n';
  if (module.result() != nullptr) std::cout << "outcome " << kiln_result_outcome(module.result()) << '\n';
  if (!module) return 1;
  std::cout << "handle " << (module.handle() != nullptr ? "yes" : "no") << '\n';
  bool hasAll = true;
  for (int i = 5; i < count; ++i) {
    const bool hasIt = module.function(arguments[i]) != nullptr;
    std::cout << arguments[i] << ' ' << (hasIt ? "ok" : module.message()) << '\n';
    hasAll = hasAll && hasIt;
  }
  return hasAll ? EXIT_SUCCESS : EXIT_FAILURE;
}
