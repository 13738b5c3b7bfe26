// From a module to the binary: the last steps, which every language that becomes LLVM IR has in common.
#pragma once

#include <expected>
#include <functional>

#include "frontends/llvm/device_libraries.h"
#include "frontends/llvm/module.h"
#include "jit/artifact.h"
#include "jit/failure.h"
#include "jit/request.h"

namespace kiln::llvmir {

// Links the device libraries, optimises, generates and links what `request` wants. Once in a process.
std::expected<Artifact, Failure> generate(Compilation& compilation, const Request& request,
                                          const DeviceLibraries& libraries);

// Runs `compile`, in which LLVM may end what it cannot go on with: a compileError then, with what it said.
// What it was at is left as it is: the process serves for no other compile.
std::expected<Artifact, Failure> guarded(const Request& request,
                                         const std::function<std::expected<Artifact, Failure>()>& compile);

}  // namespace kiln::llvmir
