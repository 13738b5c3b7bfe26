// What a bundle holds: entries compiled elsewhere, to be found on a node as if it had compiled them.
//
// A bundle is an OCI image layout (oci_layout.h):
//   artifact type  application/vnd.kiln.bundle.v1
//   config         application/vnd.kiln.bundle.index.v1+json: bundle_index.h, which tells what is in it
//                  without the layers
//   layers         application/vnd.kiln.kernel.v1+capnp: one for each kernel of the index, in order of their
//                  digests; annotated with its name (org.opencontainers.image.title)
// So a kernel that has not changed keeps its layer. What comes beside it later (signatures, bills of
// materials) are artifacts of their own that name the manifest.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bundle/result.h"
#include "jit/artifact.h"

namespace kiln::bundle {

inline constexpr const char* kArtifactType = "application/vnd.kiln.bundle.v1";
inline constexpr const char* kIndexType = "application/vnd.kiln.bundle.index.v1+json";
inline constexpr const char* kKernelType = "application/vnd.kiln.kernel.v1+capnp";
inline constexpr const char* kTitle = "org.opencontainers.image.title";
inline constexpr std::uint32_t kKernelVersion = 1;

struct BundledEntry {
  Request request;  // whole; names as it was compiled
  std::string toolchainName;
  Sha256 toolchainIdentity;
  DependencySet dependencies;
  bool namesBind = false;
  std::variant<Artifact, Failure> result;

  bool operator==(const BundledEntry&) const = default;
};

struct BundledKernel {
  std::string name;
  Sha256 identity;  // identityOf() the kernel of the lock
  std::vector<BundledEntry> entries;

  bool operator==(const BundledKernel&) const = default;
};

// Equal kernels give equal bytes.
std::string encodeKernel(const BundledKernel& kernel);

// Verifies: the version, known kinds, and that each output has the SHA-256 that is said of it. `what` names
// the layer in errors.
BundleResult<BundledKernel> parseKernel(std::string_view bytes, const std::string& what);

}  // namespace kiln::bundle
