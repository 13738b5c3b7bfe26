// Stage reuse: a request for several targets of one virtual architecture.
//
// The code for the virtual architecture (PTX for compute_80) is a result of its own, kept as any other; the
// machine code for each target is made of it by a second compiler. Each stage is an ordinary request, so that
// both are looked up, joined, compiled and published as any other is. The last one reads no files.
#pragma once

#include "jit/request.h"

namespace kiln {

struct Stages {
  Request first;
  Request last;  // without its source, which is the first one's only output
  // Whether the toolchains of both have one numbering, so that the last must not be older than the first.
  bool hasOneNumbering = true;
};

}  // namespace kiln
