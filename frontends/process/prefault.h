// Page faults, taken before the job is there.
#pragma once

namespace kiln {

// Makes the pages that a clone would fault on while it compiles its own: those that it shares with the zygote
// until they are written, and the text of libraries. Returns when `socket` becomes readable, or is closed, at
// the latest; by then perhaps only some are done. Errors are left for the faults themselves.
void prefaultUntilReadable(int socket);

}  // namespace kiln
