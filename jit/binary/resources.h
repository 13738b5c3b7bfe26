// The resource usage of binaries, whatever machine they are for.
#pragma once

#include <vector>

#include "jit/artifact.h"
#include "jit/binary/elf.h"
#include "jit/resource_usage.h"

namespace kiln::binary {

// Of a cubin or an hsaco, which the file itself tells apart.
Read<std::vector<KernelResources>> readResources(Bytes file);

// Of those of the outputs that are machine code. One that cannot be read is the usage's problem.
ResourceUsage resourcesOf(const std::vector<Output>& outputs);

}  // namespace kiln::binary
