// Values for tests: complete, with something in every field.
#pragma once

#include <string>

#include "jit/artifact.h"
#include "jit/bundle_record.h"
#include "jit/request_hash.h"
#include "jit/sha256.h"

namespace kiln::test {

inline Request sampleRequest() {
  Request request;
  request.target = {Target::Kind::nvidiaReal, "sm_90a"};
  request.source = "#include \"scale.h\"\n__global__ void k(float* x) { *x *= kScale; }\n";
  request.names = {"k.cu", "/work", {"include", "/opt/include"}};
  request.headers = {{"scale.h", "constexpr float kScale = 2;\n"}, {"unused.h", ""}};
  request.options = {"-DN=1", "--std=c++17"};
  request.nameExpressions = {"k", "&k"};
  request.outputs = {OutputKind::cubin, OutputKind::ptx};
  request.timestamp = 1'700'000'000;
  return request;
}

inline Request sampleLinkRequest() {
  Request request;
  request.language = Language::ptx;
  request.target = {Target::Kind::nvidiaReal, "sm_90a"};
  request.source = ".version 8.0\n.target sm_80\n";
  request.names = {"k.ptx", "/work", {}};
  request.inputs = {".version 8.7\n.target sm_90\n", std::string("\xed\x43\x4e\x7f\0\1", 6)};
  request.options = {"-lto"};
  request.outputs = {OutputKind::cubin};
  return request;
}

inline Dependency sampleFile(RolePath path, std::string_view content, std::uint32_t fileNumber) {
  return {std::move(path), FileKind::file, content.size(), xxh3(content), sha256(content), fileNumber};
}

inline DependencySet sampleDependencies() {
  return normalised(
      {{{FileRole::includeDirectory, 0, "scale.h"}, FileKind::absent, 0, {}, {}, 0},
       sampleFile({FileRole::includeDirectory, 1, "scale.h"}, "constexpr float kScale = 2;\n", 1),
       sampleFile({FileRole::absolute, 0, "/etc/scale.h"}, "constexpr float kScale = 3;\n", 2),
       {{FileRole::sourceDirectory, 0, ""}, FileKind::directory, 0, {}, {}, 0}});
}

inline Output sampleOutput(OutputKind kind, std::string bytes) {
  auto digest = sha256(bytes);
  return {kind, std::move(bytes), digest};
}

inline Artifact sampleArtifact() {
  return {{sampleOutput(OutputKind::cubin, std::string("\x7f"
                                                       "ELF\0\1\2",
                                                       7)),
           sampleOutput(OutputKind::ptx, ".version 9.0\n")},
          "k.cu(2): warning #177-D: never referenced\n",
          {{"k", "_Z1kPf"}, {"&k", "_Z1kPf"}},
          {{{"_Z1kPf", {{Resource::registers, 24}, {Resource::sharedBytes, 1024}}}, {"_Z5otherv", {}}},
           "the other has no symbol table"}};
}

// An entry of `request`, its key included.
inline Entry sampleEntry(const Request& request, std::string domain = "default") {
  Entry entry;
  entry.domain = std::move(domain);
  entry.requestHash = requestHash(request);
  entry.requestSha256 = requestSha256(request);
  entry.toolchainIdentity = sha256("libnvrtc.so.13");
  entry.toolchainName = "nvrtc 13.0";
  entry.names = request.names;
  entry.dependencies = sampleDependencies();
  entry.result = sampleArtifact();
  entry.compileMilliseconds = 34.5;
  entry.createdAt = 1'700'000'100;
  entry.key = entryKey(entry);
  return entry;
}

inline Entry sampleFailureEntry(const Request& request, std::string domain = "default") {
  auto entry = sampleEntry(request, std::move(domain));
  entry.result = Failure{FailureKind::compileError, "k.cu does not compile; see the log",
                         "k.cu(2): error: expected a \";\"\n"};
  return entry;
}

inline BundleRecord sampleBundle(std::string domain = "default") {
  BundleRecord bundle;
  bundle.digest = sha256("kernels.kiln");
  bundle.domain = std::move(domain);
  bundle.name = "kernels.kiln";
  bundle.warmedAt = 1'700'000'200;
  bundle.entries = 3;
  bundle.bytes = 60;
  bundle.toolchains = {
      {"nvrtc 13.0", "nvrtc", "13.0", Language::cuda, sha256("libnvrtc.so.13"), {"sm_90", "sm_90a"}},
      {"hiprtc 6.4", "hiprtc", "6.4", Language::hip, sha256("libhiprtc.so.6"), {}}};
  return bundle;
}

}  // namespace kiln::test
