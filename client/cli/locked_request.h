// The request that an application makes, from the lock of its recording.
#pragma once

#include <expected>

#include "bundle/lock.h"
#include "client/cli/recorded_files.h"
#include "jit/failure.h"

namespace kiln::cli {

// As it would be sent, for `target`. Failure: a content of the lock cannot be read, or the request is none
// that can be compiled.
std::expected<Request, Failure> requestFor(const bundle::LockedKernel& kernel, const Target& target,
                                           LockContents& contents);

}  // namespace kiln::cli
