// One compile, in a process of its own.
#pragma once

#include "frontends/process/loaded_toolchain.h"

namespace kiln {

// Takes the job from `socket`, compiles it with the client's files, delivers. Returns the process's exit
// status: 0 when the result was delivered, whatever it is. May end the process itself (JobConnection,
// ClientView).
int runJob(int socket, LoadedToolchain& toolchain);

}  // namespace kiln
