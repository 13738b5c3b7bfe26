// A recorded kernel, its contents, and bundles of it, for tests.
#pragma once

#include <catch2/catch.hpp>

#include "bundle/bundle_file.h"
#include "client/cli/coverage.h"
#include "client/cli/locked_request.h"
#include "frontends/request_options.h"
#include "jit/names_binding.h"
#include "jit/stand_in_source.h"
#include "tests/support/samples.h"
#include "tests/support/temporary_directory.h"

namespace kiln::cli {

inline Target targetOf(const std::string& text) { return parseTarget(text).value(); }

inline Toolchain sampleToolchain(const std::string& name = "nvrtc 13.0") {
  return {name, "nvrtc", "13.0", "", Language::cuda, sha256(name), {"sm_80", "sm_90"}, ""};
}

// What was recorded in `directory`, of a source and a header.
class SampleRecording {
 public:
  bundle::LockedKernel kernel(const std::string& directory = "/work",
                              const std::string& header = "#define V 7\n") {
    bundle::LockedKernel kernel;
    kernel.name = "k.cu: k";
    kernel.targets = {"sm_90"};
    kernel.names = {"k.cu", directory, {"include"}};
    kernel.source = add("#include \"v.h\"\n__global__ void k() {}\n");
    kernel.files = normalised({test::sampleFile({FileRole::includeDirectory, 0, "v.h"}, header, 1)});
    add(header);
    for (auto& file : kernel.files) file.xxh3 = {};
    return kernel;
  }

  Sha256 add(const std::string& text) {
    REQUIRE(folder_.add(sha256(text), text));
    return sha256(text);
  }
  LockContents& contents() { return contents_; }

  // As a build makes them, of whatever came of the compile; one for each stage.
  std::vector<bundle::BundledEntry> entries(const bundle::LockedKernel& kernel, const std::string& target,
                                            bool namesBind = false) {
    auto request = requestFor(kernel, targetOf(target), contents_).value();
    const auto stages = stagesOf(request);
    auto first = entry(stages ? stages->first : request, kernel, namesBind);
    std::vector<bundle::BundledEntry> entries = {first};
    if (!stages) return entries;
    auto last = stages->last;
    last.source = std::get<Artifact>(first.result).outputs.front().bytes;
    entries.push_back(entry(last, {}, false));
    entries.back().toolchainName = "nvjitlink 13.0";
    return entries;
  }

  bundle::BundleFile bundle(std::vector<bundle::BundledKernel> kernels) {
    bundle::BundleIndex index;
    const auto path = directory_.path() / ("bundle" + std::to_string(++bundles_));
    REQUIRE(bundle::writeBundle(path, std::move(kernels), {sampleToolchain(), sampleToolchain("nvrtc 12.9")},
                                index));
    return std::move(bundle::BundleFile::open(path).value());
  }

 private:
  static bundle::BundledEntry entry(const Request& request, const bundle::LockedKernel& kernel,
                                    bool namesBind) {
    bundle::BundledEntry entry;
    entry.request = request;
    entry.request.names = compiledNames(request.names, requestHash(request));
    entry.request.names.temporaryDirectory.clear();
    entry.toolchainName = "nvrtc 13.0";
    entry.toolchainIdentity = sha256(entry.toolchainName);
    entry.dependencies = kernel.files;
    // The contents that were recorded, all of which are known here.
    for (auto& file : entry.dependencies) {
      for (const std::string header : {"#define V 7\n", "#define V 8\n"}) {
        if (sha256(header) == file.sha256) file.xxh3 = xxh3(header);
      }
    }
    entry.namesBind = namesBind;
    Artifact artifact;
    for (const auto kind : request.outputs) artifact.outputs.push_back(test::sampleOutput(kind, "binary"));
    entry.result = artifact;
    return entry;
  }

  test::TemporaryDirectory directory_;
  bundle::BlobFolder folder_ = bundle::BlobFolder(directory_.path() / "files");
  LockContents contents_ = LockContents(folder_);
  int bundles_ = 0;
};

}  // namespace kiln::cli
