#include "jit/log_names.h"

#include <catch2/catch.hpp>

using namespace kiln;

namespace {

const Names kNames{"src/k.cu", "/work", {"inc", "deep/inc/"}};
const Names kOthers{"/home/you/other.cu", "/elsewhere", {"/opt/include/", "x"}};

Dependency file(FileRole role, std::uint32_t index, std::string path) {
  return {{role, index, std::move(path)}, FileKind::file, 1, {}, {}, 1};
}

const DependencySet kDependencies = {
    file(FileRole::includeDirectory, 0, "a.h"), file(FileRole::includeDirectory, 0, "sub/../up.h"),
    file(FileRole::includeDirectory, 1, "b.h"), file(FileRole::sourceDirectory, 0, "v.h")};

bool binds(std::string_view log, const Names& names = kNames, const std::vector<Header>& headers = {}) {
  return logBindsNames(log, names, headers, kDependencies);
}

std::string translated(std::string_view log, const Names& names = kNames) {
  REQUIRE_FALSE(binds(log, names));
  return logUnder(kOthers, log, names, kDependencies);
}

}  // namespace

TEST_CASE("The name in front of a diagnostic is the asker's") {
  CHECK(translated("src/k.cu(3): error: no\n") == "/home/you/other.cu(3): error: no\n");
  CHECK(translated("src/v.h(1): warning #177-D: x\n") == "/home/you/v.h(1): warning #177-D: x\n");
  CHECK(translated("inc/a.h(12): error: no") == "/opt/include/a.h(12): error: no");
  CHECK(translated("deep/inc/b.h(1): note #1: x\n") == "x/b.h(1): note #1: x\n");
}

TEST_CASE("The name in front of clang's diagnostics is the asker's") {
  CHECK(translated("src/k.cu:3:12: error: no\nfloat k.cu = src/k.cu;\n      ^~~~\n") ==
        "/home/you/other.cu:3:12: error: no\nfloat k.cu = src/k.cu;\n      ^~~~\n");
  CHECK(translated("In file included from src/k.cu:1:\ninc/a.h:2:2: warning: hello [-W#warnings]\n") ==
        "In file included from /home/you/other.cu:1:\n/opt/include/a.h:2:2: warning: hello [-W#warnings]\n");
  CHECK(translated("own.h:3:1: error: no\n") == "own.h:3:1: error: no\n");
  CHECK(binds("src/k.cu:3: error: no\n"));
  CHECK(binds("In file included from src/k.cu:x:\n"));
}

TEST_CASE("What follows a directory is kept as the compiler spelled it") {
  CHECK(translated("inc/sub/../up.h(1): error: no\n") == "/opt/include/sub/../up.h(1): error: no\n");
  CHECK(translated("inc/./a.h(1): error: no\n") == "/opt/include/./a.h(1): error: no\n");
}

TEST_CASE("Names within a diagnostic and in the last line are the asker's") {
  CHECK(translated("src/k.cu(3): warning #47-D: redefinition (declared at line 1 of inc/a.h)\n") ==
        "/home/you/other.cu(3): warning #47-D: redefinition (declared at line 1 of /opt/include/a.h)\n");
  CHECK(translated(
            "          detected during instantiation of \"int f(T) [with T=int]\" at line 5 of src/k.cu\n") ==
        "          detected during instantiation of \"int f(T) [with T=int]\" at line 5 of "
        "/home/you/other.cu\n");
  CHECK(translated("1 error detected in the compilation of \"src/k.cu\".\n") ==
        "1 error detected in the compilation of \"/home/you/other.cu\".\n");
}

TEST_CASE("Names that are the source's own texts stay") {
  for (auto log : {"memory.h(3): error: no\n", "renamed.cu(300): error: no\n"}) {
    CHECK(translated(log) == log);
  }
}

TEST_CASE("Lines that quote the source stay, whatever they hold") {
  std::string quote = "  f(\"src/k.cu(3): x\"); // inc/a.h\n    ^\n";
  CHECK(translated("src/k.cu(3): error: no\n" + quote) == "/home/you/other.cu(3): error: no\n" + quote);
}

TEST_CASE("A log is the same under the same names") {
  std::string log = "src/k.cu(3): error: no\n";
  CHECK(logUnder(kNames, log, kNames, kDependencies) == log);
  CHECK(logUnder(kOthers, "", kNames, kDependencies).empty());
}

TEST_CASE("A name where none is looked for binds names") {
  CHECK(binds("note: something about src/k.cu here\n"));
  CHECK(binds("src/k.cu(7): warning #1105-D: #warning directive: see k.cu\n"));
  CHECK(binds("ptxas warning: v.h is odd\n"));
  CHECK(binds("looked in /work for it\n"));
  CHECK(binds("looked in inc for it\n"));
  CHECK(binds("Stack size for '_ZN28_INTERNAL_00000000_4_k_cu_kk' unknown\n"));
  CHECK(binds("inc/never_read.h(1): error: no\n"));
  CHECK(binds("  src/k.cu(3): indented without a caret\n"));
}

TEST_CASE("A word that only contains a name does not bind names") {
  CHECK_FALSE(binds("k.cubin was made\n"));
  CHECK_FALSE(binds("incorrect\n"));
  CHECK_FALSE(binds("Remark: The warnings can be suppressed with \"-diag-suppress <warning-number>\"\n"));
  CHECK_FALSE(binds(""));
}

TEST_CASE("A name that may mean two places binds names") {
  // <inc/v.h> and "inc/v.h" beside a source without a directory.
  const Names flat{"k.cu", "/work", {"inc"}};
  const DependencySet both = {file(FileRole::includeDirectory, 0, "v.h"),
                              file(FileRole::sourceDirectory, 0, "inc/v.h")};
  CHECK(logBindsNames("inc/v.h(1): error: no\n", flat, {}, both));
  CHECK_FALSE(logBindsNames("k.cu(1): error: no\n", flat, {}, both));
  CHECK(binds("inc/a.h(1): error: no\n", kNames, {{"inc/a.h", ""}}));
}

TEST_CASE("A name with a parenthesis is taken whole") {
  const Names strange{"k(1): x(2).cu", "/work", {}};
  REQUIRE_FALSE(logBindsNames("k(1): x(2).cu(3): error: no\n", strange, {}, {}));
  CHECK(logUnder(kOthers, "k(1): x(2).cu(3): error: no\n", strange, {}) ==
        "/home/you/other.cu(3): error: no\n");
}

TEST_CASE("A failure tells the asker's name of the source") {
  const Failure failure{FailureKind::compileError, "compiling 'src/k.cu': NVRTC found errors",
                        "src/k.cu(1): error: no\n"};
  auto shown = failureUnder(kOthers, failure, kNames, kDependencies);
  CHECK(shown.message == "compiling '/home/you/other.cu': NVRTC found errors");
  CHECK(shown.log == "/home/you/other.cu(1): error: no\n");
}

TEST_CASE("A log and a failure of a link tell the asker's names of its inputs") {
  const Names compiled{"k.ptx", "/work", {}, "", {"/kiln-source/1.input"}};
  Names asked = compiled;
  asked.inputs = {"lib/math.ptx"};
  const std::string log = "error   : Undefined reference to 'f' in '/kiln-source/1.input'\n";
  const std::string shown = "error   : Undefined reference to 'f' in 'lib/math.ptx'\n";
  REQUIRE_FALSE(logBindsNames(log, compiled, {}, {}));
  CHECK(logUnder(asked, log, compiled, {}) == shown);
  auto failure =
      failureUnder(asked, {FailureKind::compileError, "compiling '/kiln-source/1.input': it is no PTX", log},
                   compiled, {});
  CHECK(failure.message == "compiling 'lib/math.ptx': it is no PTX");
  CHECK(failure.log == shown);
  asked.source = "other.ptx";
  CHECK(logUnder(asked, log, compiled, {}) == shown);
}

TEST_CASE("A name in front of what is said of LTO IR is the asker's") {
  CHECK(translated("src/k.cu: link error: error: Linking globals named 'x'\n") ==
        "/home/you/other.cu: link error: error: Linking globals named 'x'\n");
  CHECK(translated("src/k.cu: parse Malformed block") == "/home/you/other.cu: parse Malformed block");
}
