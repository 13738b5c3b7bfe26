// One call of a kernel that runs on the host, on buffers with generated contents.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "client/cli/kernel_argument.h"

namespace kiln::cli {

// What became of one argument. Values keep what they were.
struct BufferResult {
  std::uint64_t before = 0, after = 0;  // XXH3-64 of the bytes
  std::vector<std::string> first;       // elements, after the call
};

struct CallResult {
  std::vector<BufferResult> buffers;  // of the arguments that are some, in order
  double milliseconds = 0;            // of the call alone
};

// Calls `function` with `arguments` in a process of its own, so that a wrong list of them ends no more than
// that. Buffers are filled with numbers that follow from their position among the arguments and in the
// buffer: the same in every run, floats from -1 up to 1, whole numbers from 0 to 99. The kernel's own result
// is dropped. The error says how the process ended.
std::expected<CallResult, std::string> callKernel(void* function,
                                                  const std::vector<KernelArgument>& arguments);

}  // namespace kiln::cli
