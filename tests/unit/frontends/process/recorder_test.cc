#include "frontends/process/recorder.h"

#include <catch2/catch.hpp>

using namespace kiln;

namespace {

const Names kNames{"k.cu", "/w", {"/w/include", "/opt/include"}};

FileAnswer absentAt(std::string missing) { return {FileAnswer::Kind::absent, 0, 0, std::move(missing)}; }

std::vector<std::string> described(const Recorder& recorder) {
  std::vector<std::string> result;
  for (const auto& dependency : recorder.dependencies()) result.push_back(describe(dependency.path));
  return result;
}

}  // namespace

TEST_CASE("an absence in nested directories is recorded under each of their roles") {
  Recorder recorder(kNames);
  recorder.looked({"/w/include/cub/a.h"}, absentAt("/w/include/cub"));
  CHECK(described(recorder) ==
        std::vector<std::string>{"<include 0>/cub", "<source>/include/cub", "<cwd>/include/cub"});
}

TEST_CASE("a missing directory above some of a request's directories is recorded as each sees it") {
  Recorder recorder(kNames);
  recorder.looked({"/w/include/cub/a.h"}, absentAt("/w/include"));
  CHECK(described(recorder) == std::vector<std::string>{"<include 0>", "<source>/include", "<cwd>/include"});
}

TEST_CASE("an absence outside the request's directories is absolute") {
  Recorder recorder(kNames);
  recorder.looked({"/etc/nvcc/a.h"}, absentAt("/etc/nvcc"));
  CHECK(described(recorder) == std::vector<std::string>{"/etc/nvcc"});
}

TEST_CASE("what lies in a directory within another is the outer one's only where a text leads there") {
  const Names names{"/p/k.cu", "/w", {"/p/.venv/include"}};
  const AskedPath header{"/p/.venv/include/v.h", "/p/.venv/include/v.h"};
  const std::vector<std::string> inner{"<include 0>/v.h"};
  const std::vector<std::string> both{"<include 0>/v.h", "<source>/.venv/include/v.h"};
  auto rolesAfterReading = [&](const AskedPath& path, const std::string& before, const std::string& behind) {
    Recorder recorder(names);
    recorder.read(before);
    recorder.looked(path, {FileAnswer::Kind::file, 9, 3, "abc"});
    recorder.read(behind);
    return described(recorder);
  };
  CHECK(rolesAfterReading(header, "#include <v.h>\n", "") == inner);
  CHECK(rolesAfterReading(header, "#include \".venv/include/v.h\"\n", "") == both);
  CHECK(rolesAfterReading(header, "", "#include \".\\\nvenv/include/v.h\"\n") == both);
  CHECK(rolesAfterReading({header.absolute}, "#include <v.h>\n", "") == both);
}

TEST_CASE("of three nested directories those count from which a text leads to the innermost") {
  const Names names{"/p/k.cu", "/w", {"/p/libs", "/p/libs/cub-2"}};
  Recorder recorder(names);
  recorder.read("#include <cub-2/a.h>\n");
  recorder.looked({"/p/libs/cub-2/a.h", "/p/libs/cub-2/a.h"}, {FileAnswer::Kind::file, 9, 3, "abc"});
  CHECK(described(recorder) == std::vector<std::string>{"<include 0>/cub-2/a.h", "<include 1>/a.h"});
}

TEST_CASE("relative directories nest as they are spelled") {
  const FileAnswer file{FileAnswer::Kind::file, 9, 3, "abc"};
  auto roles = [&](const Names& names, const std::string& spelling, const std::string& text) {
    Recorder recorder(names);
    recorder.read(text);
    recorder.looked({absolutePath(spelling, names.workingDirectory), spelling}, file);
    return described(recorder);
  };
  const std::vector<std::string> inner{"<include 0>/v.h"};
  const std::vector<std::string> both{"<include 0>/v.h", "<source>/inc/v.h"};
  for (const Names& names : {Names{"k.cu", "/w", {"inc"}}, Names{"./k.cu", "/w", {"./inc"}}}) {
    auto spelling = names.includeDirectories[0] + "/v.h";
    CHECK(roles(names, spelling, "#include <v.h>") == inner);
    CHECK(roles(names, spelling, "#include \"inc/v.h\"") == both);
  }
}

TEST_CASE("a component that is no word may be in any text") {
  const Names names{"/p/k.cu", "/w", {"/p/--/inc"}};
  Recorder recorder(names);
  recorder.looked({"/p/--/inc/v.h", "/p/--/inc/v.h"}, {FileAnswer::Kind::file, 9, 3, "abc"});
  CHECK(described(recorder) == std::vector<std::string>{"<include 0>/v.h", "<source>/--/inc/v.h"});
}

TEST_CASE("an absence in a directory within another is the outer one's only where a text leads there") {
  const Names names{"/p/k.cu", "/w", {"/p/include"}};
  Recorder recorder(names);
  recorder.read("#include <v.h>  // include what is included\n");
  recorder.looked({"/p/include/v.h", "/p/include/v.h"}, absentAt("/p/include/v.h"));
  CHECK(described(recorder) == std::vector<std::string>{"<include 0>/v.h"});
  recorder.read("--pre-include=include/v.h");
  CHECK(described(recorder) == std::vector<std::string>{"<include 0>/v.h", "<source>/include/v.h"});
}

TEST_CASE("a spelling that begins with a directory's own is of that directory alone") {
  Recorder recorder(kNames);
  recorder.looked({"/w/include/cub/a.h", "/w/include/cub/a.h"}, absentAt("/w/include/cub"));
  CHECK(described(recorder) == std::vector<std::string>{"<include 0>/cub"});
  recorder.looked({"/w/include/cub/a.h", "include/cub/a.h"}, absentAt("/w/include/cub"));
  CHECK(described(recorder) == std::vector<std::string>{"<include 0>/cub", "<source>/include/cub"});
}

TEST_CASE("a file asked for under two spellings is recorded under the roles of both") {
  Recorder recorder(kNames);
  for (auto spelling : {"/w/include/v.h", "include/v.h", "/w/include/v.h"}) {
    recorder.looked({"/w/include/v.h", spelling}, {FileAnswer::Kind::file, 9, 3, "abc"});
  }
  CHECK(described(recorder) == std::vector<std::string>{"<include 0>/v.h", "<source>/include/v.h"});
}

TEST_CASE("what is seen twice is recorded once") {
  Recorder recorder(kNames);
  for (int i = 0; i < 2; ++i) recorder.looked({"/opt/include/a.h"}, {FileAnswer::Kind::file, 9, 3, "abc"});
  REQUIRE(recorder.dependencies().size() == 1);
  CHECK(recorder.dependencies()[0].fileNumber == 1);
  CHECK(recorder.dependencies()[0].size == 3);
}

TEST_CASE("listings are recorded in one order whatever the file system's") {
  Recorder first(kNames), second(kNames);
  first.listed({"/opt/include"}, {"a", "b"});
  second.listed({"/opt/include"}, {"b", "a"});
  CHECK(first.dependencies() == second.dependencies());
}
