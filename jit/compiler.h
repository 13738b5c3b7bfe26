// The interface of a frontend: one library that turns a request into an artifact.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "jit/artifact.h"
#include "jit/failure.h"
#include "jit/request.h"

namespace kiln {

// Synchronous; knows nothing of caching, processes or files (the compiler library opens what it opens). Not
// thread-safe.
class Compiler {
 public:
  virtual ~Compiler() = default;

  // "13.0": digits and dots.
  [[nodiscard]] virtual std::string version() const = 0;
  // The architectures it compiles for, in its own order; never empty. May have to try each, so that it is
  // asked once for a library, in a process that is for that. Failure: they cannot be told.
  [[nodiscard]] virtual std::expected<std::vector<std::string>, Failure> targets() const = 0;
  // Compiles `request`, whose target is one of these. The digests of the outputs are left zero and the
  // resource usage empty: whoever keeps them computes them.
  virtual std::expected<Artifact, Failure> compile(const Request& request) = 0;
  // Runs the library once over input of the frontend's own, so that a process forked from this one finds all
  // first-use cost paid. Failure: the library does not work.
  virtual std::expected<void, Failure> warm() = 0;
};

}  // namespace kiln
