// A client's files, asked for through the capability that it gave.
#pragma once

#include <kj/timer.h>

#include "jit/service/client_files.h"
#include "kiln.capnp.h"

namespace kiln {

// How long a client may take for the answer to one question, digests of many files included.
struct FileTimeLimit {
  kj::Timer& timer;  // outlives the files
  kj::Duration limit;
};

// Nothing that the client answers makes a promise reject: an exception of its own, or silence beyond the
// limit, is an answer that failed, and a digest that is not one agrees with nothing. Only losing the client
// rejects.
kj::Own<ClientFiles> makeRemoteFiles(schema::FileSource::Client source, FileTimeLimit timeLimit);

}  // namespace kiln
