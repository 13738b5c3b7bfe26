// nvJitLink's results as failures.
#pragma once

#include <string>
#include <string_view>

#include "frontends/nvjitlink/library.h"
#include "jit/failure.h"

namespace kiln::nvjitlink {

enum class Step {
  create,   // takes the options
  compile,  // takes the inputs, and links
};

// Whether `errors` tells of an error of the linker, in what the inputs define and refer to.
bool saysLinkError(std::string_view errors);

// What `step` for the input named `source` failed with. `errors` is nvJitLink's log of errors, `log` all
// that it wrote, `compiler` its name and version.
Failure failureOf(Step step, Result result, std::string_view compiler, std::string_view source,
                  std::string_view errors, std::string log);

}  // namespace kiln::nvjitlink
