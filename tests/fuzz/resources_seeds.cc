// One small binary of each machine, and the metadata of one.
#include "tests/fuzz/seeds.h"
#include "tests/support/sample_binaries.h"

namespace kiln::fuzz {

std::vector<std::string> seeds() {
  return {test::sampleCubin(), test::sampleHsaco(test::sampleMetadata()), test::sampleMetadata()};
}

}  // namespace kiln::fuzz
