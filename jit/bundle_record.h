// What a store remembers of a bundle: entries that were compiled elsewhere and brought into a domain.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "jit/hash.h"
#include "jit/request.h"

namespace kiln {

// A toolchain that compiled entries of the bundle: what of a Toolchain holds on every node.
struct BundledToolchain {
  std::string name;      // "nvrtc 13.0"
  std::string frontend;  // "nvrtc"
  std::string version;   // "13.0"
  Language language = Language::cuda;
  Sha256 identity;
  std::vector<std::string> targets;  // what it compiles for, in its own order

  bool operator==(const BundledToolchain&) const = default;
};

struct BundleRecord {
  Sha256 digest;  // with the domain, what names it
  std::string domain;
  std::string name;            // what its file was called
  std::uint64_t warmedAt = 0;  // seconds since 1970
  std::uint64_t entries = 0;   // that it brought
  std::uint64_t bytes = 0;     // of all their outputs
  std::vector<BundledToolchain> toolchains;

  bool operator==(const BundleRecord&) const = default;
};

}  // namespace kiln
