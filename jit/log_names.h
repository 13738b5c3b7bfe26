// The names in what a compiler wrote.
//
// A log names files: the source as the compiler was told to call it, headers by the include directory, or the
// source's directory, and what follows. An entry serves askers with other names, so its log is shown to each
// as the compiler would have written it for him. That is exact, because names are replaced only where
// diagnostics have them:
//
//   NAME(LINE): error: ...                              at the start of a line
//   NAME:LINE:COLUMN: error: ...                        at the start of a line
//   In file included from NAME:LINE:
//   ... at line LINE of NAME                            to the end of the line, or of the parenthesis
//   ... detected in the compilation of "NAME".
//   ... JIT the PTX (NAME)  ... ' in 'NAME'  NAME: link error: ...  and their like, by nvJitLink
//
// The further inputs of a link are compiled under stand-ins, which are replaced wherever they stand.
//
// A log in which a name stands elsewhere, or could mean two places, binds the names (names_binding.h). Lines
// that quote the source, which stand above a line with nothing but a caret, belong to the source and are left
// alone.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "jit/dependencies.h"
#include "jit/failure.h"
#include "jit/request.h"

namespace kiln {

// Whether `log`, of a compile under `names` that saw `dependencies`, holds names that logUnder() would not
// find.
bool logBindsNames(std::string_view log, const Names& names, const std::vector<Header>& headers,
                   const DependencySet& dependencies);

// `log`, written under the names `from` and not binding them, as it reads under `to`.
std::string logUnder(const Names& to, std::string_view log, const Names& from,
                     const DependencySet& dependencies);

// The same for a failure: its log, and its message, which names the source.
Failure failureUnder(const Names& to, Failure failure, const Names& from, const DependencySet& dependencies);

}  // namespace kiln
