// The interface of what runs compiles: the pool of compiler processes, or a stand-in of a test.
#pragma once

#include <kj/async.h>

#include <chrono>

#include "jit/artifact.h"
#include "jit/files.h"
#include "jit/toolchain.h"

namespace kiln {

// Answers what one compile asks. Outlives the compile's promise.
class FileAnswerer {
 public:
  virtual ~FileAnswerer() = default;
  virtual kj::Promise<FileReply> answer(FileQuestion question) = 0;
};

class Compilers {
 public:
  virtual ~Compilers() = default;

  // Compiles in a process of its own. Never rejects because of the request, the compiler or its process:
  // those are failures in the result (timeout, memoryLimit, compilerCrash, toolchainUnavailable, ...).
  // Dropping the promise kills the process. `toolchain` and `request` are copied; `files` must outlive the
  // promise.
  virtual kj::Promise<Compiled> compile(const Toolchain& toolchain, const Request& request,
                                        std::chrono::milliseconds timeout, FileAnswerer& files) = 0;
};

}  // namespace kiln
