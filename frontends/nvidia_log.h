// What the logs of NVIDIA's compilers say.
#pragma once

#include <algorithm>
#include <string_view>

namespace kiln {

// Whether `test` holds for a line of `log`.
template <typename Test>
bool anyLine(std::string_view log, Test test) {
  while (!log.empty()) {
    auto end = std::min(log.find('\n'), log.size());
    if (test(log.substr(0, end))) return true;
    log.remove_prefix(std::min(end + 1, log.size()));
  }
  return false;
}

// Whether the log of a compile that failed says, or may say, that a part of the compiler could not get
// memory: NVRTC and nvJitLink call that an error of the source. Such an error is always told; of ptxas's lack
// of memory NVRTC's log may hold nothing.
bool logSaysOutOfMemory(std::string_view log);

}  // namespace kiln
