#include "jit/stand_in_source.h"

#include <catch2/catch.hpp>

#include "jit/role_path.h"

using namespace kiln;

namespace {

const Hash128 kHash = xxh3("a request");

Names temporary(const std::string& source) { return {source, "/", {"/opt/include"}, "/tmp"}; }

}  // namespace

TEST_CASE("A source below the temporary directory is compiled under a name that its request decides") {
  auto one = compiledNames(temporary("/tmp/tmpa1b2/kernel.cu"), kHash);
  auto another = compiledNames(temporary("/tmp/x/y/other.cu"), kHash);
  CHECK(one.source == "/kiln-source/" + kHash.hex() + ".cu");
  CHECK(one == another);
  CHECK(compiledNames(temporary("/tmp/tmpa1b2"), kHash).source == "/kiln-source/" + kHash.hex());
  CHECK(compiledNames(temporary("/tmp/tmpa1b2/kernel.cu"), xxh3("another")) != one);
}

TEST_CASE("Any other source keeps its name") {
  for (auto source : {"k.cu", "/tmpx/k.cu", "/home/tmp/k.cu", "/tmp", "tmp/k.cu", ""}) {
    CHECK(compiledNames(temporary(source), kHash).source == source);
  }
  auto nowhere = temporary("/tmp/k.cu");
  nowhere.temporaryDirectory.clear();
  CHECK(compiledNames(nowhere, kHash).source == "/tmp/k.cu");
  nowhere.temporaryDirectory = "/";
  CHECK(compiledNames(nowhere, kHash).source == "/tmp/k.cu");
}

TEST_CASE("Paths beside a stand-in are those beside the asker's source") {
  auto asked = temporary("/tmp/a/k.cu");
  const StandInPaths paths(asked, compiledNames(asked, kHash));
  REQUIRE(paths);
  CHECK(paths.toAsker("/kiln-source/v.h") == "/tmp/a/v.h");
  CHECK(paths.toAsker("/kiln-source") == "/tmp/a");
  CHECK(paths.toAsker("/kiln-source/../v.h") == "/tmp/a/../v.h");
  CHECK(paths.toAsker("/opt/include/v.h") == "/opt/include/v.h");
  CHECK(paths.toCompile("/tmp/a/sub") == "/kiln-source/sub");
  CHECK(paths.toCompile("/tmp/a") == "/kiln-source");
  CHECK(paths.toCompile("/tmp") == "/kiln-source");
  CHECK(paths.toCompile("/opt/include") == "/opt/include");
}

TEST_CASE("Without a stand-in nothing is translated") {
  Names asked{"k.cu", "/work", {}, "/tmp"};
  const StandInPaths paths(asked, compiledNames(asked, kHash));
  CHECK_FALSE(paths);
  CHECK(paths.toAsker("/kiln-source/v.h") == "/kiln-source/v.h");
  CHECK(paths.textForAsker("/kiln-source/v.h") == "/kiln-source/v.h");
}

TEST_CASE("Messages name the asker's files") {
  auto asked = temporary("/tmp/a/k.cu");
  auto compiled = compiledNames(asked, kHash);
  CHECK(StandInPaths(asked, compiled).textForAsker("'" + compiled.source + "' wants '/kiln-source/v.h'") ==
        "'/tmp/a/k.cu' wants '/tmp/a/v.h'");
}

TEST_CASE(
    "What lies beside a stand-in has the source's role alone, also where the working directory is the root") {
  auto directories = roleDirectories(compiledNames(temporary("/tmp/a/k.cu"), kHash));
  CHECK(rolesOf("/kiln-source/v.h", directories) ==
        std::vector<RolePath>{{FileRole::sourceDirectory, 0, "v.h"}});
  CHECK(rolesOf("/opt/include/v.h", directories).size() == 2);
}

TEST_CASE("Further inputs are compiled under names that only their place decides") {
  Names asked{"k.ptx", "/work", {}, "/tmp", {"a.ptx", "/tmp/b.ptx"}};
  Names other = asked;
  other.inputs = {"x", "y"};
  auto compiled = compiledNames(asked, kHash);
  CHECK(compiled == compiledNames(other, xxh3("another")));
  CHECK(compiled.inputs == std::vector<std::string>{"/kiln-source/1.input", "/kiln-source/2.input"});
}

TEST_CASE("Texts name the asker's inputs, beside a source with a stand-in too") {
  Names asked{"/tmp/a/k.ptx", "/work", {}, "/tmp", {}};
  for (int i = 1; i <= 11; ++i) asked.inputs.push_back("in" + std::to_string(i));
  auto compiled = compiledNames(asked, kHash);
  CHECK(inputsForAsker("'/kiln-source/1.input' and '/kiln-source/11.input'", asked) == "'in1' and 'in11'");
  CHECK(inputsForAsker(compiled.source, asked) == compiled.source);
}
