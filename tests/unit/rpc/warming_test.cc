#include "rpc/warming.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "jit/memory_store.h"
#include "jit/request_hash.h"
#include "tests/unit/rpc/sample_bundle.h"

namespace kiln::test {
namespace {

using Catch::Contains;

// Why it is not taken; empty if it is.
std::string refusal(const OfferedBundle& offered) {
  auto described = describe(offered);
  return described ? "" : described.error().message;
}

struct Fixture {
  std::unique_ptr<Store> store = makeMemoryStore();

  std::unique_ptr<Warming> begin(SampleBundle& sample) {
    return std::move(Warming::begin(*store, describe(sample.offered()).value()).value());
  }
  [[nodiscard]] bool isEmpty() const {
    return store->list("default", {}, 10)->empty() && store->allBundles()->empty();
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a bundle is there once all its layers have come and it is committed") {
  SampleBundle sample;
  auto warming = begin(sample);
  REQUIRE(warming->add({sample.layers[1]}));
  REQUIRE(warming->add({sample.layers[0], sample.layers[1]}));
  CHECK(isEmpty());
  auto committed = warming->commit();
  REQUIRE(committed);
  CHECK(committed->digest == sha256(sample.offered().manifest));
  const auto bundles = store->bundles("default").value();
  REQUIRE(bundles.size() == 1);
  CHECK(bundles[0].name == "app.kiln");
  CHECK(bundles[0].entries == 2);
  CHECK(bundles[0].toolchains.size() == 1);
  const auto request = kernelNumber(1).entries[0].request;
  const auto manifests = store->manifests("default", requestHash(request), Which::pinned).value();
  REQUIRE(manifests.size() == 1);
  const auto entry = store->find("default", manifests[0].key, Which::all).value().value();
  CHECK(std::get<Artifact>(entry.result) == sampleArtifact());
  CHECK(entry.requestSha256 == requestSha256(request));
  CHECK_FALSE(warming->add({sample.layers[0]}));
  CHECK_FALSE(warming->commit());
}

TEST_CASE_METHOD(Fixture, "layers may come on several threads at once") {
  std::vector<bundle::BundledKernel> kernels;
  for (int i = 0; i < 40; ++i) kernels.push_back(kernelNumber(i));
  SampleBundle sample(kernels);
  auto warming = begin(sample);
  std::atomic<int> failed = 0;
  {
    std::vector<std::jthread> threads;
    for (std::size_t first = 0; first < 4; ++first) {
      threads.emplace_back([&, first] {
        for (auto i = first; i < sample.layers.size(); i += 2) failed += !warming->add({sample.layers[i]});
      });
    }
  }
  CHECK(failed == 0);
  CHECK(warming->commit().value().digest == sha256(sample.offered().manifest));
  CHECK(store->list("default", {}, 100)->size() == 40);
}

TEST_CASE_METHOD(Fixture, "a bundle of which a layer has not come is not there") {
  SampleBundle sample;
  auto warming = begin(sample);
  REQUIRE(warming->add({sample.layers[0]}));
  auto committed = warming->commit();
  REQUIRE_FALSE(committed);
  CHECK_THAT(committed.error().message, Contains("1 of its 2 layers"));
  warming.reset();
  CHECK(isEmpty());
}

TEST_CASE_METHOD(Fixture, "a layer that is not the bundle's is not taken") {
  SampleBundle sample;
  auto warming = begin(sample);
  auto layer = sample.layers[0];
  SECTION("a bit is another") { layer[layer.size() / 2] ^= 1; }
  SECTION("it is cut off") { layer.resize(layer.size() - 8); }
  SECTION("it is another bundle's") { layer = encodeKernel(kernelNumber(3)); }
  SECTION("it is empty") { layer.clear(); }
  auto added = warming->add({layer});
  REQUIRE_FALSE(added);
  CHECK_THAT(added.error().message, Contains("the bundle has none such"));
  CHECK_FALSE(warming->commit());
  warming.reset();
  CHECK(isEmpty());
}

TEST_CASE_METHOD(Fixture, "a layer that holds something else than the index says is not taken") {
  SampleBundle sample;
  auto& entry = sample.index.kernels[0].entries[0];
  SECTION("another request") { entry.requestHash = xxh3("another"); }
  SECTION("other dependencies") { entry.dependencies = sha256("others"); }
  SECTION("another target") { entry.target = "sm_80"; }
  SECTION("another name") { sample.index.kernels[0].name = "another"; }
  SECTION("fewer entries") { sample.index.kernels[0].entries.clear(); }
  auto added = begin(sample)->add({sample.layers[0]});
  REQUIRE_FALSE(added);
  CHECK_THAT(added.error().message, Contains("something else than the index says"));
}

TEST_CASE_METHOD(Fixture, "an entry by a toolchain that the index tells otherwise of is not taken") {
  SampleBundle sample;
  SECTION("another name") { sample.index.toolchains[0].name = "nvrtc 12.9"; }
  SECTION("another language") { sample.index.toolchains[0].language = Language::hip; }
  auto added = begin(sample)->add({sample.layers[0]});
  REQUIRE_FALSE(added);
  CHECK_THAT(added.error().message, Contains("nvrtc 13.0"));
}

TEST_CASE_METHOD(Fixture, "an output that is not what its SHA-256 says is not taken") {
  auto kernel = kernelNumber(1);
  std::get<Artifact>(kernel.entries[0].result).outputs[0].bytes += "x";
  SampleBundle sample({kernel});
  auto added = begin(sample)->add({sample.layers[0]});
  REQUIRE_FALSE(added);
  CHECK_THAT(added.error().message, Contains("SHA-256"));
}

TEST_CASE("a bundle that is described wrongly is refused before any layer") {
  SampleBundle sample;
  REQUIRE(refusal(sample.offered()).empty());
  auto offered = sample.offered();
  SECTION("the manifest is none") {
    offered.manifest = "{";
    CHECK_THAT(refusal(offered), Contains("manifest"));
  }
  SECTION("it is an image of another kind") {
    sample.manifest.artifactType = "application/vnd.other";
    CHECK_THAT(refusal(sample.offered()), Contains("application/vnd.other"));
  }
  SECTION("the index is another's") {
    const auto another = sample.indexText + " ";
    offered.index = another;
    CHECK_THAT(refusal(offered), Contains("other bytes than its digest says"));
  }
  SECTION("the index names a layer that the manifest does not") {
    sample.manifest.layers.pop_back();
    CHECK_THAT(refusal(sample.offered()), Contains("which its manifest does not"));
  }
  SECTION("the manifest names a kernel that the index does not") {
    sample.index.kernels.pop_back();
    CHECK_THAT(refusal(sample.offered()), Contains("which its index does not"));
  }
  SECTION("the index names a layer twice") {
    sample.index.kernels.push_back(sample.index.kernels[0]);
    CHECK_FALSE(refusal(sample.offered()).empty());
  }
}

}  // namespace kiln::test
