// What two bundles differ in.
#pragma once

#include <string>
#include <vector>

#include "bundle/bundle_index.h"

namespace kiln::cli {

// An entry that one of them has and the other has not, or has otherwise.
struct BundleDifference {
  std::string kernel;
  std::string target;
  std::string toolchain;
  std::string what;

  bool operator==(const BundleDifference&) const = default;
};

// In order of kernel, target and toolchain.
std::vector<BundleDifference> differences(const bundle::BundleIndex& a, const bundle::BundleIndex& b);

}  // namespace kiln::cli
