// What came of `kiln build`.
#pragma once

#include <string>
#include <vector>

#include "bundle/bundle_index.h"
#include "client/cli/build_plan.h"

namespace kiln::cli {

struct BuildResult {
  struct Failed {
    std::string kernel;
    std::string target;
    Failure failure;
  };

  std::string path;  // empty: nothing was compiled, and no bundle written
  Sha256 digest;     // of the manifest
  bundle::BundleIndex index;
  std::size_t compiled = 0;      // the rest kilnd had already
  std::vector<Failed> failures;  // without those that the recording has
  std::vector<Unplanned> unplanned;
  std::vector<bundle::Uncaptured> uncaptured;  // of the lock: nothing can be built of these
  std::string kept;  // the folder where a rerun finds what was compiled; empty: nothing is left to it
};

}  // namespace kiln::cli
