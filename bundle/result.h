// How the parts of bundle/ fail.
#pragma once

#include <expected>
#include <string>

namespace kiln::bundle {

// For a person: what was tried, on what, what went wrong, what to do.
struct BundleError {
  std::string message;
};

template <typename T>
using BundleResult = std::expected<T, BundleError>;

}  // namespace kiln::bundle
