// Dependencies within a stored record.
//
//   dependencies = list of: role u8, index u32, path text, kind u8, size u64, xxh3 16 bytes, sha256 32 bytes,
//                  fileNumber u32
//
// The values of role and kind are those of FileRole and FileKind. The list is part of the formats that hold
// it: a change in it is a new version of each.
#pragma once

#include "cache/byte_io.h"
#include "jit/dependencies.h"

namespace kiln {

void writeDependencies(ByteWriter& out, const DependencySet& dependencies);

// Fails the reader for unknown roles and kinds, include directories from `includeDirectories` on, and file
// numbers that no set can have.
DependencySet readDependencies(ByteReader& in, std::uint32_t includeDirectories);

}  // namespace kiln
