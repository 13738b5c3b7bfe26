// Which targets an nvJitLink compiles for.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "frontends/nvjitlink/library.h"
#include "jit/failure.h"

namespace kiln::nvjitlink {

// PTX of a small kernel, for every target from sm_50 on.
extern const char* const kSmallKernel;

// nvJitLink does not list them, and 12.9 takes any number in a range without a word: a small kernel is
// compiled for each name that there may be. In several processes, since nvJitLink 12.9 aborts later where it
// refused an architecture before: what compiles does so in one that has been refused nothing. Failure:
// toolchainUnavailable, if it compiles for none.
std::expected<std::vector<std::string>, Failure> targetsOf(const Library& library);

// The first of them, which is found by fewer trials. Failure: as above.
std::expected<std::string, Failure> firstTargetOf(const Library& library);

}  // namespace kiln::nvjitlink
