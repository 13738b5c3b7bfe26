// When do names reach the output?
//
// The source's name, the include directories' and the working directory stay out of the key unless the output
// may hold them. They bind when
//   - an option asks for debug information, LTO or relocatable code (the frontend's rule), or
//   - any text that the compiler is given (options and name expressions are texts too) holds a token that
//     expands to a name: __FILE__ and its kin, source_location, or assert, or one half of such a token, which
//     may be pasted to the other, or continues a word on the next line, where such a token may be hidden, or
//   - any text holds an include of an absolute path or of a macro, or an option names a request's directory:
//     then a role path could be mistaken for another (dependencies.h), or
//   - any text may give lines another file's name (#line), which a log could show as if it were one of the
//     request's, or
//   - any text mentions the source's name, and the compiler looks for the source as it does for a header, or
//     has something to log, or
//   - an output holds the source's name though nothing asked for it, or the log holds a name in a place where
//     it could not be replaced by another asker's (log_names.h).
// The rule errs towards binding: a bound name costs a compile, an unbound one that mattered would be a wrong
// hit.
#pragma once

#include <string_view>

#include "jit/hash.h"
#include "jit/request.h"

namespace kiln {

// Whether names bind because of `text`, one file or header or the source.
bool textBindsNames(std::string_view text);

// Whether names bind because of what the request itself holds: its texts, and options that spell out one of
// its directories. The frontend's own rule for options stands beside it.
bool requestBindsNames(const Request& request);

// Whether `text` holds the last component of the source's name, without which it can hardly mean the source.
bool mentionsSource(std::string_view text, const Names& names);

// Whether `text`, an output or a log, holds the source's name the way compilers build it into the names of
// what one source keeps to itself (anonymous namespaces, static variables): the last component, its length in
// front, every character that cannot stand in an identifier replaced by '_'. "k.cu" gives "_4_k_cu_". NVRTC
// hashes the working directory into the same names.
bool holdsSourceName(std::string_view text, const Names& names);

// A digest of all names that a compiler is told, part of the key where they bind.
Hash128 namesDigest(const Names& names);

}  // namespace kiln
