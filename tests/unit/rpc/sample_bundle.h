// A small bundle in memory.
#pragma once

#include <string>
#include <vector>

#include "bundle/bundle.h"
#include "bundle/layout_json.h"
#include "jit/sha256.h"
#include "rpc/warming.h"
#include "tests/support/samples.h"

namespace kiln::test {

inline Toolchain sampleToolchain() {
  Toolchain toolchain;
  toolchain.name = "nvrtc 13.0";
  toolchain.frontend = "nvrtc";
  toolchain.version = "13.0";
  toolchain.identity = sha256("nvrtc 13.0");
  toolchain.targets = {"sm_90a"};
  return toolchain;
}

inline bundle::BundledKernel kernelNumber(int number) {
  bundle::BundledEntry entry;
  entry.request = sampleRequest();
  entry.request.options.push_back("-DNUMBER=" + std::to_string(number));
  entry.toolchainName = sampleToolchain().name;
  entry.toolchainIdentity = sampleToolchain().identity;
  entry.dependencies = sampleDependencies();
  entry.result = sampleArtifact();
  const auto name = "k.cu: k" + std::to_string(number);
  return {name, sha256(name), {entry}};
}

// A bundle in memory, as its client would describe and send it. A test changes what is to be wrong.
struct SampleBundle {
  std::vector<std::string> layers;
  bundle::BundleIndex index;
  bundle::ImageManifest manifest;
  std::string indexText, manifestText;  // as they were offered last

  explicit SampleBundle(const std::vector<bundle::BundledKernel>& kernels = {kernelNumber(1),
                                                                             kernelNumber(2)}) {
    manifest.artifactType = bundle::kArtifactType;
    index.toolchains = {sampleToolchain()};
    for (const auto& kernel : kernels) add(kernel);
  }
  void add(const bundle::BundledKernel& kernel) {
    layers.push_back(encodeKernel(kernel));
    const auto digest = sha256(layers.back());
    index.kernels.push_back(bundle::indexed(kernel, digest));
    manifest.layers.push_back({bundle::kKernelType, digest, layers.back().size()});
  }
  [[nodiscard]] OfferedBundle offered(const std::string& domain = "default") {
    indexText = bundle::writeIndex(index);
    manifest.config = {bundle::kIndexType, sha256(indexText), indexText.size()};
    manifestText = bundle::printManifest(manifest).value();
    return {domain, "app.kiln", manifestText, indexText};
  }
};

}  // namespace kiln::test
