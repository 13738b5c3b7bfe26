// Compiles a CUDA kernel through kiln: saxpy FILE.cu TARGET, for instance saxpy ../kernels/saxpy.cu sm_90.
// The first run on a node compiles; every later one, of any process, gets the same bytes from kilnd's store.
#include <fstream>
#include <iostream>
#include <iterator>
#include <kiln/kiln.hpp>
#include <string>

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: saxpy FILE.cu TARGET\n";
    return 2;
  }
  std::ifstream file(argv[1]);
  if (!file) {
    std::cerr << "saxpy: cannot read " << argv[1] << "\n";
    return 2;
  }
  std::string source(std::istreambuf_iterator<char>(file), {});

  kiln::Client client;
  kiln::Request request(source);
  request.name(argv[1]).target(argv[2]);
  auto result = client.compile(request);
  if (!result) {
    std::cerr << "saxpy: " << result.statusName() << ": " << result.message() << "\n" << result.log();
    return 1;
  }

  std::cout << result.outcomeName() << ": cubin of " << result.cubin().size() << " bytes, in "
            << result.totalMilliseconds() << " ms (compiling took " << result.compileMilliseconds()
            << " ms)\n";

  // On a machine with a GPU, with the CUDA driver initialised and a context current:
  //     CUmodule module;
  //     cuModuleLoadData(&module, result.cubin().data());
  //     CUfunction saxpy;
  //     cuModuleGetFunction(&saxpy, module, "saxpy");
  return 0;
}
