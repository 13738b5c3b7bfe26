// A target within a stored record: kind u8 (the value of Target::Kind), name text.
#pragma once

#include "cache/byte_io.h"
#include "jit/target.h"

namespace kiln {

void writeTarget(ByteWriter& out, const Target& target);
// Fails the reader for an unknown kind.
Target readTarget(ByteReader& in);

}  // namespace kiln
