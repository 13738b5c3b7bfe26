// Names that a compiler put into its output although no option and no token of the text asked for them.
#pragma once

#include "jit/artifact.h"
#include "jit/request.h"

namespace kiln {

// Whether an output holds the source's name the way compilers build it into the names of what one source
// keeps to itself (anonymous namespaces, static variables): the last component, its length in front, every
// character that cannot stand in an identifier replaced by '_'. "k.cu" gives "_4_k_cu_". NVRTC hashes the
// working directory into the same names.
bool outputsHoldSourceName(const Artifact& artifact, const Names& names);

}  // namespace kiln
