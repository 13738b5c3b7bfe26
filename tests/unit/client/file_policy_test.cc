#include "client/file_policy.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "tests/support/temporary_directory.h"

using kiln::Names;
using kiln::client::Access;
using kiln::client::FilePolicy;
using kiln::test::TemporaryDirectory;
namespace fs = std::filesystem;

namespace {

// root/project/{src,include,work}, root/outside, root/allowed
struct Tree {
  TemporaryDirectory temporary;
  fs::path root = fs::canonical(temporary.path());
  Names names{(root / "project/src/k.cu").string(),
              (root / "project/work").string(),
              {"../include", (root / "linked").string()}};

  Tree() {
    for (const char* directory :
         {"project/src", "project/include/deep", "project/work", "outside", "allowed"}) {
      fs::create_directories(root / directory);
    }
    std::ofstream(root / "outside/secret") << "key";
    std::ofstream(root / "project/src/k.cu") << "";
    fs::create_directory_symlink(root / "outside", root / "project/include/way_out");
    fs::create_directory_symlink(root / "allowed", root / "linked");
  }

  [[nodiscard]] Access judge(const std::string& path, const std::vector<std::string>& allowed = {}) const {
    return FilePolicy(names, allowed).judge(path.starts_with('/') ? path : (root / path).string());
  }
};

}  // namespace

TEST_CASE_METHOD(Tree, "what lies below a request's directory is allowed, whether it exists or not") {
  CHECK(judge("project/src/v.h") == Access::allowed);
  CHECK(judge("project/src") == Access::allowed);
  CHECK(judge("project/src/deep/er/v.h") == Access::allowed);
  CHECK(judge("project/work/v.h") == Access::allowed);
  CHECK(judge("project/work/../include/v.h") == Access::allowed);
}

TEST_CASE_METHOD(Tree, "a directory whose name only begins alike is outside") {
  fs::create_directories(root / "project/srcs");
  CHECK(judge("project/srcs") == Access::outside);
}

TEST_CASE_METHOD(Tree, "what lies elsewhere is outside") {
  CHECK(judge("outside/secret") == Access::outside);
  CHECK(judge("outside") == Access::outside);
  CHECK(judge("/etc/passwd") == Access::outside);
}

TEST_CASE_METHOD(Tree, "a directory that the client allows is allowed") {
  CHECK(judge("outside/secret", {(root / "outside/").string()}) == Access::allowed);
  CHECK(judge("/etc/passwd", {"/"}) == Access::allowed);
}

TEST_CASE_METHOD(Tree, "a path with .. is judged by where it leads") {
  CHECK(judge("project/src/../include/deep") == Access::allowed);
  CHECK(judge("project/include/deep/../../src/k.cu") == Access::allowed);
  CHECK(judge("project/src/../../outside/secret") == Access::outside);
  CHECK(judge("project/include/way_out/../outside/secret") == Access::outside);
  // As if the link stood in the source's directory, spelled from there.
  fs::create_symlink(root / "outside/secret", root / "project/src/linked.h");
  CHECK(judge("project/src/../src/linked.h") == Access::allowed);
}

TEST_CASE_METHOD(Tree, "a symbolic link below a request's directory is followed wherever it leads") {
  CHECK(judge("project/include/way_out/secret") == Access::allowed);
  CHECK(judge("project/work/../include/way_out/secret") == Access::allowed);
}

TEST_CASE_METHOD(Tree, "the place that a directory given by a link leads to is allowed by its own name") {
  CHECK(judge("allowed/v.h") == Access::allowed);
}

TEST_CASE_METHOD(Tree, "of an ancestor only its structure may be told") {
  CHECK(judge("project") == Access::structure);
  CHECK(judge(root.string()) == Access::structure);
  CHECK(judge("/") == Access::structure);
  CHECK(judge("project/src/..") == Access::structure);
}
