// What a PTX module says of itself.
#pragma once

#include <string>
#include <string_view>

namespace kiln::nvjitlink {

struct ModuleDirectives {
  std::string version;  // "8.7" of ".version 8.7"; empty if there is none
  std::string target;   // "sm_90a" of ".target sm_90a, debug", the last if there are several; empty if none
};

// The first of each directive, comments skipped.
ModuleDirectives directivesOf(std::string_view ptx);

// Whether code for `target` may be made of PTX for `moduleTarget`: a plain one runs on every later
// architecture, an architecture-specific one ("sm_90a") on that alone, a family-specific one ("sm_100f") on
// that and the later ones of the same major version. True for sm_101, which is called sm_110 since CUDA 13,
// and where a name is of another form: the compiler has the last word.
bool mayRunOn(std::string_view moduleTarget, std::string_view target);

}  // namespace kiln::nvjitlink
