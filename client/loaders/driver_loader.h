// NVIDIA's and AMD's drivers, which work alike: one entry point each to load, to unload and to find a
// function.
#pragma once

#include "client/loaders/loader.h"

namespace kiln::client {

// cuModuleLoadData(): into the context that is current in the calling thread.
Loaded<Loader*> cudaModuleLoader();
// cuLibraryLoadData(): of no context; each loads it when it first uses it. From CUDA 12.0 on.
Loaded<Loader*> cudaLibraryLoader();
// hipModuleLoadData(): onto the current device of the calling thread.
Loaded<Loader*> hipModuleLoader();

}  // namespace kiln::client
