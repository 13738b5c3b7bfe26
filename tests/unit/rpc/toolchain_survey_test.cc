#include "rpc/toolchain_survey.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "tests/support/temporary_directory.h"

namespace kiln {
namespace {

namespace fs = std::filesystem;
using Catch::Contains;

// Libraries that say how a stand-in for kiln-compiler takes them
// (tests/unit/frontends/pool/stand_in_compiler.cc).
struct Fixture {
  fs::path install(const std::string& name, const std::string& behaviour = "") {
    auto folder = root.path() / name;
    fs::create_directories(folder);
    std::ofstream(folder / "libnvrtc-builtins.so.7.5") << name;
    std::ofstream(folder / "libnvrtc.so.7") << behaviour << "\n";
    return folder / "libnvrtc.so.7";
  }
  static fs::path descriptionsOf(const fs::path& library) {
    return library.parent_path().string() + ".descriptions";
  }
  static std::uintmax_t descriptions(const fs::path& library) {
    return fs::file_size(descriptionsOf(library));
  }

  test::TemporaryDirectory root;
  ToolchainSurvey survey{{{root.path()}, {}, false},
                         fs::read_symlink("/proc/self/exe").parent_path() / "stand_in_compiler"};
};

}  // namespace

TEST_CASE_METHOD(Fixture,
                 "toolchains are found with name, version and targets, or with what is wrong with them") {
  install("a");
  auto broken = install("b", "refuse it lacks a symbol");
  auto found = survey.run();
  REQUIRE(found.size() == 2);
  CHECK(found[0].name == "nvrtc 7.5");
  CHECK(found[0].version == "7.5");
  CHECK(found[0].targets == std::vector<std::string>{"sm_80", "sm_90"});
  CHECK(found[0].problem.empty());
  CHECK(found[1].name == "nvrtc " + broken.string());
  CHECK_THAT(found[1].problem, Contains("it lacks a symbol"));
}

TEST_CASE_METHOD(Fixture,
                 "of equal copies the first that can be used is listed, and those before it that cannot") {
  for (const char* name : {"a", "b", "c"}) {
    auto library = install(name, "only b");
    std::ofstream(library.parent_path() / "libnvrtc-builtins.so.7.5") << "the same";
  }
  auto found = survey.run();
  REQUIRE(found.size() == 2);
  CHECK_THAT(found[0].library, Contains("/a/"));
  CHECK_FALSE(found[0].problem.empty());
  CHECK_THAT(found[1].library, Contains("/b/"));
  CHECK(found[1].problem.empty());
  CHECK(found[0].identity == found[1].identity);
}

TEST_CASE_METHOD(Fixture, "what did not change is not loaded again, unless it could not be used") {
  auto good = install("a");
  auto broken = install("b", "refuse it is ill today");
  auto first = survey.run();
  CHECK(survey.run() == first);
  CHECK(descriptions(good) == 1);
  CHECK(descriptions(broken) == 2);
  install("c");
  CHECK(survey.run().size() == 3);
  CHECK(descriptions(good) == 1);
}

TEST_CASE_METHOD(Fixture,
                 "a library that is replaced while it is loaded is loaded again, under its new identity") {
  auto library = install("a", "become refuse the newcomer");
  auto identity = survey.run().at(0).identity;
  CHECK(descriptions(library) == 2);
  std::ofstream(library) << "become refuse the newcomer\n";
  auto again = survey.run();
  REQUIRE(again.size() == 1);
  CHECK_THAT(again[0].problem, Contains("the newcomer"));
  CHECK(again[0].identity == identity);
  CHECK(holds(again[0].footprint));
}

TEST_CASE_METHOD(Fixture,
                 "a library that is replaced whenever it is loaded is a problem, and worth another try") {
  install("a", "become become become become nothing at last");
  auto found = survey.run();
  REQUIRE(found.size() == 1);
  CHECK_THAT(found[0].problem, Contains("changed while it was loaded"));
  CHECK_FALSE(holds(found[0].footprint));
  auto later = survey.run();
  CHECK(later.at(0).problem.empty());
}

TEST_CASE_METHOD(Fixture, "a library that cannot be read is not loaded") {
  auto library = install("a");
  fs::remove(library.parent_path() / "libnvrtc-builtins.so.7.5");
  fs::create_directory(library.parent_path() / "libnvrtc-builtins.so.7.5");
  auto found = survey.run();
  REQUIRE(found.size() == 1);
  CHECK(found[0].name == "nvrtc " + library.string());
  CHECK_THAT(found[0].problem, Contains("cannot be read"));
  CHECK_FALSE(fs::exists(descriptionsOf(library)));
}

}  // namespace kiln
