#include "bundle/lock.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <numeric>

#include "bundle/lock_file.h"
#include "bundle/utf8.h"
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

TEST_CASE(
    "Kernels that differ by targets, files, servers or names of inputs are one, and by all else are not") {
  const auto kernel = sampleKernel();
  auto same = kernel;
  same.inputs.front().name = same.names.inputs.front() = "/tmp/random.ptx";
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
      [](auto& one) { one.inputs.front().sha256 = sha256("other"); },
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

namespace {

// A kernel with these files alone.
Lock lockOfFiles(DependencySet files, std::string name = "k.cu") {
  auto kernel = sampleKernel();
  kernel.name = std::move(name);
  kernel.files = normalised(std::move(files));
  return {{std::move(kernel)}, {}};
}

Dependency fileAt(std::string path, std::string_view content, std::uint32_t number = 1) {
  auto file = test::sampleFile({FileRole::absolute, 0, std::move(path)}, content, number);
  file.xxh3 = {};
  return file;
}

Dependency absentAt(std::string path) {
  return {{FileRole::absolute, 0, std::move(path)}, FileKind::absent, 0, {}, {}, 0};
}

Dependency textAt(std::string path, FileKind kind) {
  return {{FileRole::absolute, 0, std::move(path)}, kind, 0, {}, sha256("text"), 0};
}

// The merged lock of all three, in whatever order.
Lock mergedInAnyOrder(std::vector<Lock> locks) {
  std::vector<std::size_t> order(locks.size());
  std::iota(order.begin(), order.end(), 0);
  const auto first = merged(locks);
  while (std::ranges::next_permutation(order).found) {
    std::vector<Lock> permuted;
    for (const auto index : order) permuted.push_back(locks[index]);
    CHECK(merged(std::move(permuted)) == first);
  }
  return first;
}

}  // namespace

TEST_CASE("All conflicts are named under the name that tells most, whatever the order") {
  const auto lock =
      mergedInAnyOrder({lockOfFiles({fileAt("/a.h", "1", 1), fileAt("/b.h", "1", 2)}, "k.cu"),
                        lockOfFiles({fileAt("/a.h", "2", 1), fileAt("/b.h", "2", 2)}, "k.cu: k"),
                        lockOfFiles({fileAt("/a.h", "3", 1)}, "k.cu: k<float>")});
  REQUIRE(lock.kernels.size() == 1);
  CHECK(lock.uncaptured ==
        std::vector<Uncaptured>{
            {"k.cu: k<float>", "'/a.h' was recorded with two contents; one of them is kept"},
            {"k.cu: k<float>", "'/b.h' was recorded with two contents; one of them is kept"}});
}

TEST_CASE("What was there in one recording and not in another is a conflict, and is kept as there") {
  auto lock = mergedInAnyOrder({lockOfFiles({fileAt("/a/v.h", "1")}), lockOfFiles({absentAt("/a/v.h")}),
                                lockOfFiles({absentAt("/a")})});
  CHECK(lock.kernels.front().files == DependencySet{fileAt("/a/v.h", "1")});
  REQUIRE(lock.uncaptured.size() == 2);
  CHECK_THAT(lock.uncaptured[0].reason, Contains("'/a'") && Contains("with something in it"));
  CHECK_THAT(lock.uncaptured[1].reason, Contains("'/a/v.h'") && Contains("both as there and as not there"));

  // By another role it is the same path: sampleKernel() works in /work.
  lock = mergedInAnyOrder(
      {lockOfFiles({fileAt("/work/include/v.h", "1")}),
       lockOfFiles({{{FileRole::includeDirectory, 0, "v.h"}, FileKind::absent, 0, {}, {}, 0}})});
  CHECK(lock.kernels.front().files.size() == 1);
  CHECK(lock.uncaptured.size() == 1);

  Dependency directory = absentAt("/a");
  directory.kind = FileKind::directory;
  lock = mergedInAnyOrder({lockOfFiles({directory}), lockOfFiles({fileAt("/a", "1")})});
  CHECK(lock.kernels.front().files == DependencySet{fileAt("/a", "1")});
  CHECK(lock.uncaptured.size() == 1);
}

TEST_CASE("What agrees is no conflict") {
  Dependency directory = absentAt("/a");
  directory.kind = FileKind::directory;
  const auto lock = mergedInAnyOrder(
      {lockOfFiles({directory, textAt("/a", FileKind::listing), absentAt("/a/no.h")}),
       lockOfFiles({textAt("/dangling", FileKind::link), absentAt("/dangling"), fileAt("/a/v.h", "1")}),
       lockOfFiles({fileAt("/a/v.h", "1"), textAt("/a/v.h", FileKind::resolved), absentAt("/ab")})});
  CHECK(lock.uncaptured.empty());
  CHECK(lock.kernels.front().files.size() == 8);
}

TEST_CASE("Files are one if a recording has them as one, whatever the order") {
  auto lock = mergedInAnyOrder({lockOfFiles({fileAt("/a.h", "1", 1), fileAt("/b.h", "1", 1)}),
                                lockOfFiles({fileAt("/b.h", "1", 1), fileAt("/c.h", "1", 1)}),
                                lockOfFiles({fileAt("/d.h", "1", 1)})});
  CHECK(lock.uncaptured.empty());
  std::vector<std::uint32_t> numbers;
  for (const auto& file : lock.kernels.front().files) numbers.push_back(file.fileNumber);
  CHECK(numbers == std::vector<std::uint32_t>{1, 1, 1, 2});

  lock = mergedInAnyOrder({lockOfFiles({fileAt("/a.h", "1", 1), fileAt("/b.h", "1", 2)}),
                           lockOfFiles({fileAt("/a.h", "1", 1), fileAt("/b.h", "1", 1)}),
                           lockOfFiles({fileAt("/c.h", "1", 1)})});
  CHECK(lock.uncaptured.size() == 2);
  CHECK_THAT(lock.uncaptured[0].reason, Contains("'/a.h'") && Contains("as a copy of it"));

  // One that was replaced is not the other any more.
  lock = mergedInAnyOrder(
      {lockOfFiles({fileAt("/a.h", "1", 1), fileAt("/b.h", "1", 1)}), lockOfFiles({fileAt("/b.h", "2", 1)})});
  REQUIRE(lock.kernels.front().files.size() == 2);
  const auto& files = lock.kernels.front().files;
  CHECK((files[0].fileNumber == files[1].fileNumber) == (files[0].sha256 == files[1].sha256));
  CHECK(parseLock(writeLock(lock), "app.lock"));
}

TEST_CASE("A lock without numbers of files, or with one for two contents, is refused") {
  // To #pragma once all files of it would be one.
  const auto lock = lockOfFiles({fileAt("/a.h", "1", 1), fileAt("/b.h", "2", 2)});
  const auto changed = [&](const std::string& part, const std::string& instead) {
    auto text = writeLock(lock);
    text.replace(text.find(part), part.size(), instead);
    return errorOf(text);
  };
  CHECK_THAT(changed(", file = 1", ""), Contains("'files.file' must be there") && Contains("app.lock:"));
  CHECK_THAT(changed("file = 2", "file = 1"), Contains("is 1 for two contents"));
}

TEST_CASE("Every text that is UTF-8 is written and read back") {
  LockedKernel kernel = sampleKernel();
  std::string text;
  for (std::uint32_t character = 0; character <= 0x10ffff; ++character) {
    if (character >= 0xd800 && character < 0xe000) continue;
    const auto byte = [&](std::uint32_t first, int shift) {
      text += static_cast<char>(first | ((character >> shift) & 0x3f));
    };
    if (character < 0x80) {
      text += static_cast<char>(character);
    } else if (character < 0x800) {
      text += static_cast<char>(0xc0 | character >> 6), byte(0x80, 0);
    } else if (character < 0x10000) {
      text += static_cast<char>(0xe0 | character >> 12), byte(0x80, 6), byte(0x80, 0);
    } else {
      text += static_cast<char>(0xf0 | character >> 18), byte(0x80, 12), byte(0x80, 6), byte(0x80, 0);
    }
  }
  CHECK(isUtf8(text));
  kernel.options = {text};
  const auto read = parseLock(writeLock({{kernel}, {}}), "app.lock");
  REQUIRE(read);
  CHECK(read->kernels.front().options == kernel.options);
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
  CHECK_THAT(without("role = \"include 0\", path = \"scale.h\"", "role = \"include 0\""),
             Contains("'files.path'"));
  CHECK_THAT(without("path = \"/etc/scale.h\"", "path = \"etc/scale.h\""),
             Contains("'files.path'") && Contains("'etc/scale.h'"));
  CHECK_THAT(without("[\"sm_90a\"]", "[]"), Contains("'kernel.targets'"));
  CHECK_THAT(without("\"compute_80\"", "\"sm_80\""), Contains("'kernel.virtual_architecture'"));
  CHECK_THAT(without("\"compute_80\"", "\"potato\""), Contains("'potato'"));
  CHECK_THAT(without("outputs = [\"cubin\"", "outputs = [\"exe\""), Contains("'kernel.outputs'"));
  CHECK_THAT(without(sha256("source").hex(), "abc"), Contains("'source_sha256'"));
}
