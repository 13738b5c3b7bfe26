// How much memory a process uses.
#pragma once

#include <cstdint>

namespace kiln {

// Bytes that the process holds and no file backs, in memory or swapped out; 0 once it has ended.
std::uint64_t privateMemory(int processId);

}  // namespace kiln
