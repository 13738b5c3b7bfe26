// Whether what compiles depended on looks the same to a client now.
#pragma once

#include <kj/async.h>

#include <vector>

#include "jit/dependencies.h"
#include "jit/request.h"
#include "jit/service/client_files.h"

namespace kiln {

// How one dependency set looks to one client.
struct FileCheck {
  std::vector<FileState> states;           // one for each dependency, in order
  std::vector<std::size_t> disagreements;  // as disagreements() gives them
};

// The state of a file that could not be asked after: it agrees with nothing.
inline constexpr FileKind kUnknownFileKind{};
inline constexpr FileState kUnknownFileState{.kind = kUnknownFileKind, .size = 0, .xxh3 = {}, .identity = 0};

// Checks every set against the files of a client who goes by `names`, with one question for all of them; with
// none if there is nothing to ask. Rejects only when the client is gone.
kj::Promise<std::vector<FileCheck>> checkFiles(std::vector<DependencySet> sets, const Names& names,
                                               ClientFiles& files);

}  // namespace kiln
