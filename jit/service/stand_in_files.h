// A client's files as a compile under a stand-in (jit/stand_in_source.h) asks for them.
#pragma once

#include "jit/service/client_files.h"
#include "jit/stand_in_source.h"

namespace kiln {

// `files`, asked by the compile's paths and answering with them. Digests are asked by the client's own paths:
// who checks dependencies resolves them with the client's own names.
kj::Own<ClientFiles> underStandIn(kj::Own<ClientFiles> files, StandInPaths paths);

}  // namespace kiln
