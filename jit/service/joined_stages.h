// One outcome of two stages (jit/stages.h).
#pragma once

#include "jit/service/service.h"

namespace kiln {

// What the asker of both is told: the last stage's outputs and key; the first one's lowered names; the
// dependencies and the logs of both, under the asker's names. A hit if both were; else the reason is that of
// the stage that was not. `first` is an artifact. Where the last stage failed, `last` as it is.
Outcome joinedStages(const Outcome& first, Outcome last);

}  // namespace kiln
