// What the logs of NVIDIA's compilers say.
#pragma once

#include <string_view>

namespace kiln {

// Whether the log of a compile that failed says, or may say, that a part of the compiler could not get
// memory: NVRTC and nvJitLink call that an error of the source. Such an error is always told; of ptxas's lack
// of memory NVRTC's log may hold nothing.
bool logSaysOutOfMemory(std::string_view log);

}  // namespace kiln
