// One outcome of two stages (jit/stages.h).
#pragma once

#include "jit/service/service.h"

namespace kiln {

// What the asker of both is told: the last stage's result and key; the first one's dependencies and lowered
// names; the logs of both, under the asker's names. A hit if both were; else the reason is that of the first
// that was not. `first` is an artifact; `last` may be a failure.
Outcome joinedStages(const Outcome& first, const Outcome& last);

}  // namespace kiln
