// The index of a bundle: what is in it, by request, toolchain and target, without its layers.
//
// JSON, with sorted keys and no white space, so that equal indices have equal bytes:
//   {"kernels":
//    [{"entries":[{"bytes":3400,"dependencies":"<sha256>","outcome":"artifact","outputs":"<sha256>",
//                  "requestHash":"<xxh3>","requestSha256":"<sha256>","target":"sm_90",
//                  "toolchain":"<sha256>"}],
//      "identity":"<sha256>","language":"cuda","layer":"<sha256>","name":"saxpy.cu: saxpy"}],
//    "toolchains":[{"frontend":"nvrtc","identity":"<sha256>","language":"cuda","name":"nvrtc 13.0",
//                   "targets":["sm_75"],"version":"13.0"}],
//    "version":1}
//   Digests are hexadecimal; "toolchain" is one of "toolchains" by its identity; "dependencies" is
//   dependenciesSha256() (jit/artifact.h); "bytes" of all outputs; "outcome" is "artifact" or the name of the
//   failure; "outputs" is outputsSha256(). No two kernels have one layer. At most kMaxDocumentSize bytes.
//
// History: 1 is the first.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bundle/bundle.h"
#include "bundle/oci_layout.h"
#include "jit/toolchain.h"

namespace kiln::bundle {

inline constexpr std::uint64_t kIndexVersion = 1;

struct IndexedEntry {
  Hash128 requestHash;
  Sha256 requestSha256;
  std::string target;
  Sha256 toolchain;
  Sha256 dependencies;
  std::string outcome;
  Sha256 outputs;
  std::uint64_t bytes = 0;

  bool operator==(const IndexedEntry&) const = default;
};

struct IndexedKernel {
  std::string name;
  Sha256 identity;  // as BundledKernel has it
  Language language = Language::cuda;
  Sha256 layer;
  std::vector<IndexedEntry> entries;  // as the layer has them

  bool operator==(const IndexedKernel&) const = default;
};

struct BundleIndex {
  std::vector<IndexedKernel> kernels;  // in order of name, then of layer
  // Of a Toolchain all but what belongs to a node: library, footprint, program. In order of name, then
  // identity.
  std::vector<Toolchain> toolchains;

  bool operator==(const BundleIndex&) const = default;
};

// Of what came of the compile: of an artifact the digests of its outputs, in order, of either the log. Each
// is tagged and delimited.
Sha256 outputsSha256(const BundledEntry& entry);

IndexedKernel indexed(const BundledKernel& kernel, const Sha256& layer);

// The entry in a domain, with its key. `said` is what indexed() says of it. The request stays in `bundled`,
// and the rest is taken.
Entry entryIn(const std::string& domain, BundledEntry& bundled, const IndexedEntry& said,
              std::uint64_t createdAt);

// Why index and manifest are not of one bundle, which name the same layers of kernels; empty if they are.
std::string whyNotOfOneBundle(const BundleIndex& index, const ImageManifest& manifest);

std::string writeIndex(const BundleIndex& index);
// `what` names the bundle in errors.
BundleResult<BundleIndex> parseIndex(std::string_view text, const std::string& what);

}  // namespace kiln::bundle
