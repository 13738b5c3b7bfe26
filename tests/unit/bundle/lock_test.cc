#include "bundle/lock.h"

#include <catch2/catch.hpp>

#include "bundle/lock_file.h"
#include "tests/support/samples.h"

using namespace kiln;
using namespace kiln::bundle;
using Catch::Matchers::Contains;

namespace {

// Something in every field.
LockedKernel sampleKernel(std::string target = "sm_90a") {
  LockedKernel kernel;
  kernel.name = "k.cu: scale<float>";
  kernel.targets = {std::move(target)};
  kernel.toolchains = {"nvrtc 13.0"};
  kernel.toolchain = "nvrtc";
  kernel.names = {"a \"quoted\"\\name\n.cu", "/work", {"include", "/opt/include"}, "", {"more.ptx"}};
  kernel.source = sha256("source");
  kernel.headers = {{"scale.h", sha256("header")}};
  kernel.inputs = {{"more.ptx", sha256("input")}};
  kernel.options = {"-DN=1", "--std=c++17"};
  kernel.nameExpressions = {"&k", "k"};
  kernel.outputs = {OutputKind::cubin, OutputKind::ptx};
  kernel.virtualArchitecture = "compute_80";
  kernel.timestamp = 7;
  kernel.files = test::sampleDependencies();
  for (auto& file : kernel.files) file.xxh3 = {};
  return kernel;
}

std::string errorOf(const std::string& text) {
  const auto lock = parseLock(text, "app.lock");
  REQUIRE_FALSE(lock);
  return lock.error().message;
}

}  // namespace

TEST_CASE("A lock reads back as it was written") {
  Lock lock;
  lock.kernels = {sampleKernel()};
  lock.kernels.front().failsFor = {"sm_90a"};
  lock.uncaptured = {{"other.cu", "kilnd cannot be reached"}};
  const auto read = parseLock(writeLock(lock), "app.lock");
  REQUIRE(read);
  CHECK(*read == lock);
  CHECK(writeLock(*read) == writeLock(lock));
}

TEST_CASE("Kernels that differ by targets, files or who served them are one, and by all else are not") {
  const auto kernel = sampleKernel();
  auto same = kernel;
  same.name = "another";
  same.targets = {"sm_80"};
  same.toolchains = {"nvrtc 12.9"};
  same.files.clear();
  CHECK(identityOf(same) == identityOf(kernel));

  const std::vector<std::function<void(LockedKernel&)>> changes = {
      [](auto& one) { one.language = Language::hip; },
      [](auto& one) { one.toolchain = "nvrtc 12.9"; },
      [](auto& one) { one.names.source = "other.cu"; },
      [](auto& one) { one.names.workingDirectory = "/elsewhere"; },
      [](auto& one) { one.names.temporaryDirectory = "/kiln-temporary"; },
      [](auto& one) { one.names.includeDirectories = {"include/opt", "include"}; },
      [](auto& one) { one.source = sha256("other"); },
      [](auto& one) { one.headers.front().name = "other.h"; },
      [](auto& one) { one.headers.front().sha256 = sha256("other"); },
      [](auto& one) { one.inputs.clear(); },
      [](auto& one) { one.options = {"-DN=1--std=c++17"}; },
      [](auto& one) { one.nameExpressions = {"k"}; },
      [](auto& one) { one.outputs = {OutputKind::ptx}; },
      [](auto& one) { one.virtualArchitecture.clear(); },
      [](auto& one) { one.timestamp = 8; },
  };
  for (const auto& change : changes) {
    auto changed = kernel;
    change(changed);
    CHECK(identityOf(changed) != identityOf(kernel));
  }
}

TEST_CASE("Merging does not hang on the order") {
  auto first = sampleKernel("sm_90a");
  auto second = sampleKernel("sm_80");
  second.name = "k.cu";
  second.toolchains = {"nvrtc 12.9"};
  second.files.pop_back();
  auto third = sampleKernel("sm_80");
  third.options.clear();
  const Lock a{{first}, {{"x", "y"}}};
  const Lock b{{second}, {{"x", "y"}, {"a", "b"}}};
  const Lock c{{third}, {}};
  const auto all = merged({a, b, c});
  CHECK(all == merged({c, b, a}));
  CHECK(all == merged({merged({b, c}), a}));
  REQUIRE(all.kernels.size() == 2);
  const auto& kernel = all.kernels.front().options.empty() ? all.kernels.back() : all.kernels.front();
  CHECK(kernel.name == first.name);
  CHECK(kernel.targets == std::vector<std::string>{"sm_80", "sm_90a"});
  CHECK(kernel.toolchains == std::vector<std::string>{"nvrtc 12.9", "nvrtc 13.0"});
  CHECK(kernel.files == first.files);
  CHECK(all.uncaptured == std::vector<Uncaptured>{{"a", "b"}, {"x", "y"}});
}

TEST_CASE("Of one file with two contents one is kept, and it is said") {
  auto first = sampleKernel();
  auto second = first;
  for (auto& file : second.files) {
    if (file.kind == FileKind::file) file.sha256 = sha256("changed since");
  }
  const auto both = merged({{{first}, {}}, {{second}, {}}});
  CHECK(both == merged({{{second}, {}}, {{first}, {}}}));
  REQUIRE(both.kernels.size() == 1);
  REQUIRE_FALSE(both.uncaptured.empty());
  CHECK_THAT(both.uncaptured.front().reason, Contains("with two contents"));
}

TEST_CASE("What is wrong with a lock is said with its line") {
  CHECK_THAT(errorOf(""), Contains("does not say its version"));
  CHECK_THAT(errorOf("version = 2\n"), Contains("version 2"));
  CHECK_THAT(errorOf("version = 1\n[[kernel"), Contains("app.lock:2"));
  CHECK_THAT(errorOf("version = 1\nkernels = []\n"), Contains("app.lock:2: unknown key 'kernels'"));
  Lock lock;
  lock.kernels = {sampleKernel()};
  const auto text = writeLock(lock);
  const auto without = [&](const std::string& part, const std::string& instead) {
    auto changed = text;
    const auto at = changed.find(part);
    REQUIRE(at != std::string::npos);
    return errorOf(changed.replace(at, part.size(), instead));
  };
  CHECK_THAT(without("language = \"cuda\"", "language = \"fortran\""), Contains("'kernel.language'"));
  CHECK_THAT(without("\"sm_90a\"", "\"potato\""), Contains("'potato'"));
  CHECK_THAT(without("kind = \"absent\"", "kind = \"nothing\""), Contains("'files.kind'"));
  CHECK_THAT(without("role = \"include 0\"", "role = \"include 2\""), Contains("include 2"));
  CHECK_THAT(without("role = \"include 0\"", "role = \"include 0x\""), Contains("'files.role'"));
  CHECK_THAT(without("outputs = [\"cubin\"", "outputs = [\"exe\""), Contains("'kernel.outputs'"));
  CHECK_THAT(without(sha256("source").hex(), "abc"), Contains("'source_sha256'"));
}
