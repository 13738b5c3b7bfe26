// When do names reach the output?
//
// The source's name, the include directories' and the working directory stay out of the key unless the output
// may hold them. They bind when
//   - an option asks for debug information, LTO or relocatable code (the frontend's rule), or
//   - any text that the compiler reads holds a token that expands to a name: __FILE__ and its kin, or
//     source_location, or continues a word on the next line, so that such a token may be hidden in it, or
//   - any text holds an include of an absolute path or of a macro, or an option names a request's directory:
//     then a role path could be mistaken for another (dependencies.h).
// The rule errs towards binding: a bound name costs a compile, an unbound one that mattered would be a wrong
// hit.
#pragma once

#include <string_view>

#include "jit/hash.h"
#include "jit/request.h"

namespace kiln {

// Whether names bind because of `text`, one file or header or the source.
bool textBindsNames(std::string_view text);

// Whether names bind because of what the request itself holds: source, headers, options that spell out one of
// its directories. The frontend's own rule for options stands beside it.
bool requestBindsNames(const Request& request);

// A digest of all names, part of the key where they bind.
Hash128 namesDigest(const Names& names);

}  // namespace kiln
