#include "jit/role_path.h"

#include <catch2/catch.hpp>

using namespace kiln;

namespace {

const Names kNames{"src/k.cu", "/work", {"include", "/opt/cub", "/opt"}};

}  // namespace

TEST_CASE("A relative path is made absolute against the working directory") {
  REQUIRE(absolutePath("a.h", "/work") == "/work/a.h");
  REQUIRE(absolutePath("", "/work") == "/work");
  REQUIRE(absolutePath("a.h", "/") == "/a.h");
  REQUIRE(absolutePath("/x/a.h", "/work") == "/x/a.h");
}

TEST_CASE("Repeated slashes and dots go from an absolute path, two dots stay") {
  REQUIRE(absolutePath("./a//b/./c.h", "/work/") == "/work/a/b/c.h");
  REQUIRE(absolutePath("//", "/work") == "/");
  REQUIRE(absolutePath("../a.h", "/work") == "/work/../a.h");
  REQUIRE(absolutePath("a/../b.h", "/work") == "/work/a/../b.h");
  REQUIRE(absolutePath("...", "/work") == "/work/...");
}

TEST_CASE("A request's directories are its include directories, its source's and its working directory") {
  auto directories = roleDirectories(kNames);
  REQUIRE(directories.size() == 5);
  REQUIRE(directories[0].path == "/work/include");
  REQUIRE(directories[1].path == "/opt/cub");
  REQUIRE(directories[2].index == 2);
  REQUIRE(directories[3].role == FileRole::sourceDirectory);
  REQUIRE(directories[3].path == "/work/src");
  REQUIRE(directories[4].role == FileRole::workingDirectory);
  REQUIRE(directories[4].path == "/work");
}

TEST_CASE("A source at the root lies in the root directory") {
  auto directories = roleDirectories({"/k.cu", "/", {}});
  REQUIRE(directories[0].path == "/");
  REQUIRE(rolesOf("/v.h", directories)[0] == RolePath{FileRole::sourceDirectory, 0, "v.h"});
}

TEST_CASE("A path has every role whose directory it lies in, the longest directory first") {
  auto roles = rolesOf("/opt/cub/cub.cuh", roleDirectories(kNames));
  REQUIRE(roles == std::vector<RolePath>{{FileRole::includeDirectory, 1, "cub.cuh"},
                                         {FileRole::includeDirectory, 2, "cub/cub.cuh"}});
  roles = rolesOf("/work/src/v.h", roleDirectories(kNames));
  REQUIRE(roles == std::vector<RolePath>{{FileRole::sourceDirectory, 0, "v.h"},
                                         {FileRole::workingDirectory, 0, "src/v.h"}});
}

TEST_CASE("A directory itself has the empty path below its role") {
  REQUIRE(rolesOf("/opt/cub", roleDirectories(kNames)).front() ==
          RolePath{FileRole::includeDirectory, 1, ""});
}

TEST_CASE("A directory whose name merely starts like a role's is not in it") {
  auto roles = rolesOf("/opt/cubby/x.h", roleDirectories(kNames));
  REQUIRE(roles == std::vector<RolePath>{{FileRole::includeDirectory, 2, "cubby/x.h"}});
}

TEST_CASE("A path in no directory of the request is absolute") {
  auto roles = rolesOf("/usr/include/x.h", roleDirectories(kNames));
  REQUIRE(roles == std::vector<RolePath>{{FileRole::absolute, 0, "/usr/include/x.h"}});
}

TEST_CASE("Every role of a path resolves back to the path") {
  auto directories = roleDirectories(kNames);
  for (auto path : {"/opt/cub/cub.cuh", "/work/src/v.h", "/work", "/opt/cub", "/usr/x.h",
                    "/work/include/a/b.h", "/work/src/../v.h"}) {
    for (const auto& role : rolesOf(path, directories)) REQUIRE(resolve(role, directories) == path);
  }
  auto root = roleDirectories({"/k.cu", "/", {"/"}});
  for (auto path : {"/", "/v.h", "/a/v.h"}) {
    for (const auto& role : rolesOf(path, root)) REQUIRE(resolve(role, root) == path);
  }
}

TEST_CASE("A role path resolves below another client's directories") {
  auto elsewhere = roleDirectories({"k.cu", "/home/me", {"/inc0", "/inc1"}});
  REQUIRE(resolve({FileRole::includeDirectory, 1, "cub.cuh"}, elsewhere) == "/inc1/cub.cuh");
  REQUIRE(resolve({FileRole::sourceDirectory, 0, "v.h"}, elsewhere) == "/home/me/v.h");
  REQUIRE(resolve({FileRole::includeDirectory, 2, "x.h"}, elsewhere).empty());
}

TEST_CASE("Role paths are described by their directory") {
  REQUIRE(describe({FileRole::includeDirectory, 2, "cub/cub.cuh"}) == "<include 2>/cub/cub.cuh");
  REQUIRE(describe({FileRole::sourceDirectory, 0, "v.h"}) == "<source>/v.h");
  REQUIRE(describe({FileRole::workingDirectory, 0, ""}) == "<cwd>");
  REQUIRE(describe({FileRole::absolute, 0, "/usr/include/v.h"}) == "/usr/include/v.h");
}

TEST_CASE("A spelling tells which directory the compiler put in front") {
  const Names names{"/p/src/k.cu", "/", {"/p/include", "rel/"}};
  const std::vector<RolePath> nested{{FileRole::includeDirectory, 0, "a.h"},
                                     {FileRole::workingDirectory, 0, "p/include/a.h"}};
  CHECK(rolesSpelledBy("/p/include/a.h", nested, names) == std::vector<RolePath>{nested[0]});
  CHECK(rolesSpelledBy("p/include/a.h", nested, names) == std::vector<RolePath>{nested[1]});
  CHECK(rolesSpelledBy("", nested, names) == nested);
  CHECK(rolesSpelledBy("/p/./include/a.h", nested, names) == nested);

  const std::vector<RolePath> relative{{FileRole::includeDirectory, 1, "b.h"},
                                       {FileRole::workingDirectory, 0, "rel/b.h"}};
  CHECK(rolesSpelledBy("rel/b.h", relative, names) == std::vector<RolePath>{relative[0]});

  const std::vector<RolePath> beside{{FileRole::sourceDirectory, 0, "v.h"},
                                     {FileRole::workingDirectory, 0, "p/src/v.h"}};
  CHECK(rolesSpelledBy("/p/src/v.h", beside, names) == std::vector<RolePath>{beside[0]});
  const Names bare{"k.cu", "/w", {}};
  CHECK(rolesSpelledBy("v.h", {{FileRole::sourceDirectory, 0, "v.h"}}, bare).size() == 1);
}
