// Why a lookup found nothing, in one sentence for a person: what differs from the nearest thing that the
// store has.
#pragma once

#include <string>
#include <vector>

#include "jit/artifact.h"
#include "jit/dependencies.h"
#include "jit/request.h"
#include "jit/service/file_check.h"
#include "jit/toolchain.h"

namespace kiln {

// Entries fit but for files: each of `checks` disagrees with its manifest, both in order of `candidates`. Of
// those equally near the first is the nearest.
std::string missByFile(const std::vector<Manifest>& candidates, const std::vector<FileCheck>& checks);
// An entry fits but for the names, which bind: it was compiled under `seen`.
std::string missByNames(const Names& wanted, const Names& seen);
// An entry fits, as far as its manifest tells, and cannot be had.
std::string missByLoss();
// Entries fit but for the toolchain; the nearest is the first by another build of the wanted one.
std::string missByToolchain(const std::vector<Manifest>& seen, const Toolchain& wanted);
// Nothing is stored for the request; `sameSource` are those with its source. The nearest has the fewest
// differences.
std::string missByRequest(const Request& wanted, const std::vector<Request>& sameSource);
// Nothing is stored for the request, and nothing is known of it but its hash.
std::string missUnseen();

}  // namespace kiln
