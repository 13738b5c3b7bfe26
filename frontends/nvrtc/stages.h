// CUDA in two stages: NVRTC generates PTX for the virtual architecture, nvJitLink links it for the target.
// Pure functions of text.
#pragma once

#include <expected>

#include "jit/failure.h"
#include "jit/request.h"
#include "jit/stages.h"

namespace kiln::nvrtc {

// What a request with a virtual architecture may not be: for a target that its code does not run on, for
// another output than the cubin, or with options that only a compile in one stage can carry out (relocatable
// code and LTO, whose cubin is linked later).
std::expected<void, Failure> checkStages(const Request& request);

// The PTX is named as the source is, with ".ptx" behind it. Of the options the link has those that
// NVRTC hands to ptxas: debug information and lines, the limit of registers, stack protection, how fast to
// compile, whether to warn, and what goes to ptxas by name.
Stages stagesOf(const Request& request);

}  // namespace kiln::nvrtc
