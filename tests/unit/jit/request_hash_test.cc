#include "jit/request_hash.h"

#include <catch2/catch.hpp>

#include <algorithm>

#include "jit/artifact.h"
#include "jit/names_binding.h"
#include "tests/support/samples.h"

using namespace kiln;
using kiln::test::sampleLinkRequest;
using kiln::test::sampleRequest;

namespace {

// The hash, and SHA-256 along with it, of the sample after `change`.
template <typename Change>
Hash128 hashAfter(const Change& change) {
  auto request = sampleRequest();
  change(request);
  bool sameHash = requestHash(request) == requestHash(sampleRequest());
  bool sameSha256 = requestSha256(request) == requestSha256(sampleRequest());
  REQUIRE(sameHash == sameSha256);
  return requestHash(request);
}

const Hash128 kUnchanged = requestHash(sampleRequest());

}  // namespace

TEST_CASE("Changing the language changes the hash") {
  REQUIRE(hashAfter([](Request& r) { r.language = static_cast<Language>(2); }) != kUnchanged);
}

TEST_CASE("Changing the target's name changes the hash") {
  REQUIRE(hashAfter([](Request& r) { r.target.name = "sm_90"; }) != kUnchanged);
}

TEST_CASE("Changing the target's kind changes the hash") {
  REQUIRE(hashAfter([](Request& r) { r.target.kind = Target::Kind::nvidiaVirtual; }) != kUnchanged);
}

TEST_CASE("Changing one character of the source changes the hash") {
  REQUIRE(hashAfter([](Request& r) { r.source.back() = ' '; }) != kUnchanged);
}

TEST_CASE("Changing the number of include directories changes the hash") {
  REQUIRE(hashAfter([](Request& r) { r.names.includeDirectories.pop_back(); }) != kUnchanged);
  REQUIRE(hashAfter([](Request& r) { r.names.includeDirectories.emplace_back("/more"); }) != kUnchanged);
}

TEST_CASE("Changing a header's name changes the hash") {
  REQUIRE(hashAfter([](Request& r) { r.headers[0].name = "scale.hpp"; }) != kUnchanged);
}

TEST_CASE("Changing a header's content changes the hash") {
  REQUIRE(hashAfter([](Request& r) { r.headers[0].content += " "; }) != kUnchanged);
}

TEST_CASE("Adding or removing a header changes the hash") {
  REQUIRE(hashAfter([](Request& r) { r.headers.pop_back(); }) != kUnchanged);
  REQUIRE(hashAfter([](Request& r) { r.headers.push_back({"more.h", ""}); }) != kUnchanged);
}

TEST_CASE("Swapping the contents of two headers changes the hash") {
  REQUIRE(hashAfter([](Request& r) { std::swap(r.headers[0].content, r.headers[1].content); }) != kUnchanged);
}

TEST_CASE("Changing, adding or removing an option changes the hash") {
  REQUIRE(hashAfter([](Request& r) { r.options[0] = "-DN=2"; }) != kUnchanged);
  REQUIRE(hashAfter([](Request& r) { r.options.emplace_back("-lineinfo"); }) != kUnchanged);
  REQUIRE(hashAfter([](Request& r) { r.options.pop_back(); }) != kUnchanged);
}

TEST_CASE("Changing the order of options changes the hash") {
  REQUIRE(hashAfter([](Request& r) { std::swap(r.options[0], r.options[1]); }) != kUnchanged);
}

TEST_CASE("Changing, adding or removing a name expression changes the hash") {
  REQUIRE(hashAfter([](Request& r) { r.nameExpressions[0] = "k2"; }) != kUnchanged);
  REQUIRE(hashAfter([](Request& r) { r.nameExpressions.emplace_back("k2"); }) != kUnchanged);
  REQUIRE(hashAfter([](Request& r) { r.nameExpressions.pop_back(); }) != kUnchanged);
}

TEST_CASE("Changing the outputs changes the hash") {
  REQUIRE(hashAfter([](Request& r) { r.outputs = {OutputKind::cubin}; }) != kUnchanged);
  REQUIRE(hashAfter([](Request& r) { r.outputs = {OutputKind::cubin, OutputKind::ltoir}; }) != kUnchanged);
}

TEST_CASE("Changing the timestamp changes the hash") {
  REQUIRE(hashAfter([](Request& r) { ++r.timestamp; }) != kUnchanged);
}

TEST_CASE("Changing, adding, removing or swapping further inputs changes the hash") {
  std::vector<Hash128> hashes = {requestHash(sampleLinkRequest())};
  auto add = [&](auto change) {
    auto request = sampleLinkRequest();
    change(request.inputs);
    hashes.push_back(requestHash(request));
  };
  add([](auto& inputs) { inputs[1].back() ^= 1; });
  add([](auto& inputs) { inputs.emplace_back(); });
  add([](auto& inputs) { inputs.pop_back(); });
  add([](auto& inputs) { inputs.clear(); });
  add([](auto& inputs) { std::swap(inputs[0], inputs[1]); });
  add([](auto& inputs) { inputs = {inputs[0] + inputs[1]}; });
  std::ranges::sort(hashes);
  REQUIRE(std::ranges::adjacent_find(hashes) == hashes.end());
}

TEST_CASE("Changing the virtual architecture changes the hash") {
  auto with = [](const char* name) {
    return hashAfter([&](Request& r) { r.virtualArchitecture = Target{Target::Kind::nvidiaVirtual, name}; });
  };
  REQUIRE(with("compute_80") != kUnchanged);
  REQUIRE(with("compute_80") != with("compute_90"));
}

TEST_CASE("The order of headers does not enter the hash") {
  REQUIRE(hashAfter([](Request& r) { std::swap(r.headers[0], r.headers[1]); }) == kUnchanged);
}

TEST_CASE("The order and number of equal name expressions do not enter the hash") {
  REQUIRE(hashAfter([](Request& r) { std::swap(r.nameExpressions[0], r.nameExpressions[1]); }) == kUnchanged);
  REQUIRE(hashAfter([](Request& r) { r.nameExpressions.emplace_back("k"); }) == kUnchanged);
}

TEST_CASE("The order and number of equal outputs do not enter the hash") {
  REQUIRE(hashAfter([](Request& r) { std::swap(r.outputs[0], r.outputs[1]); }) == kUnchanged);
  REQUIRE(hashAfter([](Request& r) { r.outputs.push_back(OutputKind::ptx); }) == kUnchanged);
}

TEST_CASE("Names do not enter the hash") {
  REQUIRE(hashAfter([](Request& r) { r.names.source = "/tmp/tmpab12/other.cu"; }) == kUnchanged);
  REQUIRE(hashAfter([](Request& r) { r.names.workingDirectory = "/elsewhere"; }) == kUnchanged);
  REQUIRE(hashAfter([](Request& r) { r.names.includeDirectories = {"/a", "/b"}; }) == kUnchanged);
  REQUIRE(hashAfter([](Request& r) { r.names.inputs = {"a.ptx"}; }) == kUnchanged);
}

TEST_CASE("Requests whose fields run together to equal text have different hashes") {
  auto hashOf = [](std::vector<std::string> options, std::vector<std::string> expressions) {
    Request request;
    request.options = std::move(options);
    request.nameExpressions = std::move(expressions);
    return requestHash(request);
  };
  REQUIRE(hashOf({"ab", "c"}, {}) != hashOf({"a", "bc"}, {}));
  REQUIRE(hashOf({"a"}, {"b"}) != hashOf({"a", "b"}, {}));
  REQUIRE(hashOf({}, {"ab"}) != hashOf({"ab"}, {}));

  Request first;
  first.headers = {{"ab", "c"}};
  Request second;
  second.headers = {{"a", "bc"}};
  REQUIRE(requestHash(first) != requestHash(second));
}

// A change of any of these makes every stored entry unreachable: it needs a new kRequestHashVersion.
TEST_CASE("The encoding of requests is pinned by golden values") {
  REQUIRE(requestHash(Request{}).hex() == "dd3e59141bf47a47b90a6c16c563c673");
  REQUIRE(requestHash(sampleRequest()).hex() == "66378ace2101a1afad88566124e985e3");
  REQUIRE(requestHash(sampleLinkRequest()).hex() == "603a938a266b5a84a3bebdcc3b37e3d5");
  REQUIRE(requestSha256(Request{}).hex() ==
          "d724a0c9cf7b88fdc425a4671516370a9d83140357d1c0ae430b611617aaebbe");
  REQUIRE(requestSha256(sampleRequest()).hex() ==
          "92291e52c218df0419586bd7b1b4c47f8736cc8cca86144b649e177ff2c427e6");
}
