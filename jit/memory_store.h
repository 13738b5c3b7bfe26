// A Store in memory: the reference the conformance tests hold every store against, and the store of tests.
#pragma once

#include <memory>

#include "jit/store.h"

namespace kiln {

std::unique_ptr<Store> makeMemoryStore();

}  // namespace kiln
