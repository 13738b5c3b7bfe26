// A client's files, asked for through the capability that it gave.
#pragma once

#include "jit/service/client_files.h"
#include "kiln.capnp.h"

namespace kiln {

// Nothing that the client answers makes a promise reject: an exception of its own is an answer that failed,
// and a digest that is not one agrees with nothing. Only losing the client rejects.
kj::Own<ClientFiles> makeRemoteFiles(schema::FileSource::Client source);

}  // namespace kiln
