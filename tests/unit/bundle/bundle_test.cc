#include "bundle/bundle.h"

#include <catch2/catch.hpp>

#include "bundle/bundle_index.h"
#include "tests/support/samples.h"

using namespace kiln;
using namespace kiln::bundle;
using Catch::Matchers::Contains;

namespace {

BundledEntry sampleBundled() {
  BundledEntry entry;
  entry.request = test::sampleRequest();
  entry.toolchainName = "nvrtc 13.0";
  entry.toolchainIdentity = sha256("a toolchain");
  entry.dependencies = test::sampleDependencies();
  entry.namesBind = true;
  entry.result = test::sampleArtifact();
  return entry;
}

BundledKernel sampleKernel() {
  auto failed = sampleBundled();
  failed.request.target = {Target::Kind::nvidiaReal, "sm_80"};
  failed.result = Failure{FailureKind::compileError, "compiling 'k.cu': no", "k.cu(1): error: no\n"};
  return {"k.cu: k", sha256("a kernel"), {sampleBundled(), failed}};
}

std::string errorOf(const BundledKernel& kernel) {
  const auto parsed = parseKernel(encodeKernel(kernel), "layer 1");
  REQUIRE_FALSE(parsed);
  return parsed.error().message;
}

}  // namespace

TEST_CASE("A kernel reads back as it was encoded, and equal ones are encoded to equal bytes") {
  const auto kernel = sampleKernel();
  const auto parsed = parseKernel(encodeKernel(kernel), "layer 1");
  REQUIRE(parsed);
  CHECK(*parsed == kernel);
  CHECK(encodeKernel(*parsed) == encodeKernel(kernel));
}

TEST_CASE("A kernel that is cut off anywhere is refused, and no flipped byte breaks the reader") {
  const auto bytes = encodeKernel(sampleKernel());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK_FALSE(parseKernel(bytes.substr(0, size), "layer 1"));
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto flipped = bytes;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x41);
    (void)parseKernel(flipped, "layer 1");
  }
}

TEST_CASE("What no store keeps, or does not fit its request, is refused") {
  auto kernel = sampleKernel();
  auto& entry = kernel.entries.front();
  SECTION("an output that is not what its digest says") {
    std::get<Artifact>(entry.result).outputs.front().bytes += "x";
    CHECK_THAT(errorOf(kernel), Contains("not what its SHA-256 says"));
  }
  SECTION("other outputs than were asked for") {
    entry.request.outputs = {OutputKind::cubin};
    CHECK_THAT(errorOf(kernel), Contains("other outputs"));
  }
  SECTION("a failure that is not remembered") {
    entry.result = Failure{FailureKind::timeout, "too long", ""};
    CHECK_THAT(errorOf(kernel), Contains("no store keeps"));
  }
}

TEST_CASE("An entry in a domain has the key that a compile there would give it") {
  const auto entry = entryIn("team", sampleBundled(), 42);
  CHECK(entry.key == entryKey(entry));
  CHECK(entry.requestHash == requestHash(test::sampleRequest()));
  CHECK((entry.domain == "team" && entry.createdAt == 42 && entry.namesBind));
  CHECK(entry.key != entryIn("other", sampleBundled(), 42).key);
  CHECK(entry.key == entryIn("team", sampleBundled(), 43).key);
}

TEST_CASE("An index reads back as it was written") {
  BundleIndex index;
  index.kernels = {indexed(sampleKernel(), sha256("layer"))};
  index.toolchains = {
      {"nvrtc 13.0", "nvrtc", "13.0", "", Language::cuda, sha256("a toolchain"), {"sm_80"}, ""}};
  const auto read = parseIndex(writeIndex(index), "app.kiln");
  REQUIRE(read);
  CHECK(*read == index);
  CHECK(index.kernels.front().entries.back().outcome == "compile_error");
}

TEST_CASE("What is wrong with an index is said") {
  const auto errorFor = [](std::string_view text) {
    const auto read = parseIndex(text, "app.kiln");
    REQUIRE_FALSE(read);
    return read.error().message;
  };
  CHECK_THAT(errorFor(""), Contains("app.kiln") && Contains("no JSON"));
  CHECK_THAT(errorFor("[]"), Contains("no JSON object"));
  CHECK_THAT(errorFor("{}"), Contains("version"));
  CHECK_THAT(errorFor(R"({"version":2})"), Contains("version 2") && Contains("newer kiln"));
  CHECK_THAT(errorFor(R"({"version":1,"toolchains":{},"kernels":[]})"), Contains("cannot be read"));
  CHECK_THAT(errorFor(R"({"version":1,"toolchains":[],"kernels":[{"name":"k","language":"fortran"}]})"),
             Contains("'fortran'"));
  BundleIndex index;
  index.kernels = {indexed(sampleKernel(), sha256("layer"))};
  CHECK_THAT(errorFor(writeIndex(index)), Contains("toolchain that is not listed"));
}
