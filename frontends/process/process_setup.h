// What makes a kiln-compiler process independent of whoever started it, and harmless to others.
#pragma once

#include <sys/types.h>

namespace kiln {

// Starts this program again with an environment that holds nothing but TZ, LC_ALL and the options of
// sanitizers, unless it is so already: neither the compiler nor the dynamic loader may be swayed by what
// kilnd was started with. `arguments` as main() has them.
void ensureOwnEnvironment(char** arguments);

// No core dumps, no new privileges, first to go when memory runs out, no descriptor open from `firstUnused`
// on; no signals blocked, and those that ask a whole session or unit to stop ignored: kilnd decides when a
// compile ends.
void isolateProcess(int firstUnused);

// Has the kernel kill this process when `parent` dies; ends it at once if that has happened already.
void dieWith(pid_t parent);

}  // namespace kiln
