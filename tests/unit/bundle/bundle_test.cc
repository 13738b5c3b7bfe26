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
  const auto enter = [](const std::string& domain, std::uint64_t createdAt) {
    BundledKernel kernel{"k", {}, {sampleBundled()}};
    const auto said = indexed(kernel, {}).entries.front();
    auto entry = entryIn(domain, kernel.entries.front(), said, createdAt);
    CHECK(kernel.entries.front().request == test::sampleRequest());
    return entry;
  };
  const auto entry = enter("team", 42);
  CHECK(entry.key == entryKey(entry));
  CHECK(entry.requestHash == requestHash(test::sampleRequest()));
  CHECK((entry.domain == "team" && entry.createdAt == 42 && entry.namesBind));
  CHECK(entry.key != enter("other", 42).key);
  CHECK(entry.key == enter("team", 43).key);
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

namespace {

std::string errorFor(std::string_view text) {
  const auto read = parseIndex(text, "app.kiln");
  REQUIRE_FALSE(read);
  return read.error().message;
}

// The index of the sample, with `from` replaced by `to`.
std::string errorWhere(const std::string& from, const std::string& to) {
  BundleIndex index;
  index.kernels = {indexed(sampleKernel(), sha256("layer"))};
  index.toolchains = {
      {"nvrtc 13.0", "nvrtc", "13.0", "", Language::cuda, sha256("a toolchain"), {"sm_80"}, ""}};
  auto text = writeIndex(index);
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return errorFor(text.replace(at, from.size(), to));
}

}  // namespace

TEST_CASE("What is wrong with an index is said, and where") {
  CHECK_THAT(errorFor(""), Contains("app.kiln") && Contains("is not JSON"));
  CHECK_THAT(errorFor("[]"), Contains("no JSON object"));
  CHECK_THAT(errorFor("{}"), Contains("version is missing"));
  CHECK_THAT(errorFor(R"({"version":2})"), Contains("version 2") && Contains("newer kiln"));
  CHECK_THAT(errorWhere("\"version\":1}", "\"version\":4294967297}"), Contains("version 4294967297"));
  for (const std::string version : {"true", "1.9", "-1", "\"1\"", "null"}) {
    CHECK_THAT(errorWhere("\"version\":1}", "\"version\":" + version + "}"),
               Contains("version is no whole number"));
  }
  CHECK_THAT(errorFor(R"({"version":1,"toolchains":{},"kernels":[]})"), Contains("toolchains is no array"));
  CHECK_THAT(errorFor(R"({"version":1,"toolchains":[],"kernels":[{"name":"k","language":"for\u001btran"}]})"),
             Contains("kernels[0].language is 'for?tran'"));
  CHECK_THAT(errorFor(R"({"version":1,"toolchains":[],"kernels":[7]})"), Contains("kernels[0] is no object"));
  CHECK_THAT(errorWhere("\"bytes\":", "\"bites\":"), Contains("kernels[0].entries[0].bytes is missing"));
  CHECK_THAT(errorWhere("\"bytes\":", "\"bytes\":-"), Contains("bytes is no whole number"));
  CHECK_THAT(errorWhere("\"outcome\":\"artifact\"", "\"outcome\":[]"), Contains("outcome is no text"));
  CHECK_THAT(errorWhere("\"layer\":\"", "\"layer\":\"x"), Contains("kernels[0].layer is no digest"));
  CHECK_THAT(errorWhere("[\"sm_80\"]", "[80]"), Contains("toolchains[0].targets holds something else"));
  BundleIndex index;
  index.kernels = {indexed(sampleKernel(), sha256("layer"))};
  CHECK_THAT(errorFor(writeIndex(index)), Contains("toolchain that is not listed"));
  for (const auto& error : {errorFor("{}"), errorWhere("\"bytes\":", "\"bites\":")})
    CHECK(error.find("json.exception") == std::string::npos);
}

TEST_CASE("Two kernels of one layer are refused") {
  BundleIndex index;
  index.kernels = {indexed({"a", sha256("a"), {}}, sha256("layer")),
                   indexed({"b", sha256("b"), {}}, sha256("layer"))};
  CHECK_THAT(errorFor(writeIndex(index)), Contains("two kernels have the layer " + sha256("layer").hex()));
}

TEST_CASE("An index that is nested too deeply or too large is refused") {
  CHECK_THAT(errorFor(R"({"version":1,"kernels":)" + std::string(100, '[') + std::string(100, ']') + "}"),
             Contains("nested too deeply"));
  CHECK_THAT(errorFor(std::string((64U << 20U) + 1, ' ')), Contains("larger than 64 MiB"));
}

TEST_CASE("The digest of the outputs differs where an output, the log or the outcome does") {
  const auto entry = sampleBundled();
  CHECK(outputsSha256(entry) == outputsSha256(sampleBundled()));
  auto changed = entry;
  auto& artifact = std::get<Artifact>(changed.result);
  SECTION("an output") { artifact.outputs.back().sha256 = sha256("another"); }
  SECTION("an output less") { artifact.outputs.pop_back(); }
  SECTION("the log") { artifact.log += "more\n"; }
  SECTION("a failure of the same log") {
    changed.result = Failure{FailureKind::compileError, "no", artifact.log};
  }
  CHECK(outputsSha256(changed) != outputsSha256(entry));
  const auto layer = sha256("layer");
  CHECK(indexed({"k", layer, {changed}}, layer) != indexed({"k", layer, {entry}}, layer));
}

TEST_CASE("What a layer says cannot forge a line of a message") {
  auto kernel = sampleKernel();
  kernel.name = "k\nkiln: all is well\x1b[2J";
  std::get<Artifact>(kernel.entries.front().result).outputs.front().bytes += "x";
  CHECK_THAT(errorOf(kernel), Contains("'k?kiln: all is well?[2J'"));
}
