// nvJitLink's results as failures.
#pragma once

#include <string>
#include <string_view>

#include "frontends/nvjitlink/library.h"
#include "jit/failure.h"

namespace kiln::nvjitlink {

enum class Step {
  create,   // takes the options
  compile,  // takes the PTX, and links
};

// What `step` for the source named `source` failed with. `errors` is nvJitLink's log of errors, `log` all
// that it wrote, `compiler` its name and version.
Failure failureOf(Step step, Result result, std::string_view compiler, std::string_view source,
                  std::string_view errors, std::string log);

}  // namespace kiln::nvjitlink
