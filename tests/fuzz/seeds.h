// What a fuzz target gives its driver beside LLVMFuzzerTestOneInput.
#pragma once

#include <string>
#include <vector>

namespace kiln::fuzz {

std::vector<std::string> seeds();

}  // namespace kiln::fuzz
