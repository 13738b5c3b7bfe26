// A lock with something in most fields, and layers with an artifact and with a failure.
#include "bundle/bundle.h"
#include "bundle/lock_file.h"
#include "jit/sha256.h"
#include "tests/fuzz/seeds.h"
#include "tests/support/samples.h"

namespace kiln::fuzz {
namespace {

using namespace bundle;

std::string lock() {
  LockedKernel kernel;
  kernel.name = "k.cu: k";
  kernel.targets = {"sm_80", "sm_90a"};
  kernel.failsFor = {"sm_80"};
  kernel.toolchains = {"nvrtc 13.0"};
  kernel.names = {"k.cu", "/work", {"include", "/opt/include"}, "", {}};
  kernel.source = sha256("source");
  kernel.headers = {{"scale.h", sha256("header")}};
  kernel.options = {"-DN=1"};
  kernel.outputs = {OutputKind::cubin};
  kernel.files = test::sampleDependencies();
  for (auto& file : kernel.files) file.xxh3 = {};
  return writeLock({{kernel}, {{"other.cu", "kilnd cannot be reached"}}});
}

std::string layer(const std::variant<Artifact, Failure>& result) {
  BundledEntry entry;
  entry.request = test::sampleRequest();
  entry.toolchainName = "nvrtc 13.0";
  entry.dependencies = test::sampleDependencies();
  entry.result = result;
  return encodeKernel({"k.cu: k", {}, {entry}});
}

}  // namespace

std::vector<std::string> seeds() {
  return {lock(), layer(test::sampleArtifact()), layer(Failure{FailureKind::compileError, "no", "a log"})};
}

}  // namespace kiln::fuzz
