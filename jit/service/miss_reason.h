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

// Entries fit but for files. The nearest, by its number, is the first of those with the fewest disagreements;
// each of `checks`, of which there is one at least, has some.
std::size_t nearestByFiles(const std::vector<FileCheck>& checks);
std::string missByFile(const Manifest& nearest, const FileCheck& check);
// An entry fits but for the names, which bind: it was compiled under `seen`.
std::string missByNames(const Names& wanted, const Names& seen);
// An entry fits, as far as its manifest tells, and cannot be had.
std::string missByLoss();
// Entries fit but for the toolchain; the nearest is the first by another build of the wanted one, else the
// first of `seen`, which is not empty.
const Manifest& nearestByToolchain(const std::vector<Manifest>& seen, const Toolchain& wanted);
std::string missByToolchain(const Manifest& nearest, const Toolchain& wanted);
// Nothing is stored for the request; `sameSource` are those with its source. The nearest has the fewest
// differences.
std::string missByRequest(const Request& wanted, const std::vector<Request>& sameSource);
// The number of the nearest of `others`, of which there is one at least.
std::size_t nearestRequest(const Request& wanted, const std::vector<Request>& others);
// Nothing is pinned for the request; `nearest` is, and has the same source text or else the same name.
std::string missByPinned(const Request& wanted, const Request& nearest);
// Nor is anything that is like it.
std::string missUnpinned();
// Nothing is stored for the request, and nothing is known of it but its hash.
std::string missUnseen();

}  // namespace kiln
