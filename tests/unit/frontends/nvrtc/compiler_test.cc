// Against the real NVRTC 13.0 and 12.9, and against misbehaving_nvrtc for what those do not do on demand.
#include "frontends/nvrtc/compiler.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>

#include "frontends/nvrtc/discovery.h"
#include "tests/support/temporary_directory.h"

namespace kiln::nvrtc {
namespace {

namespace fs = std::filesystem;

// The NVRTC in the directory that an environment variable names.
fs::path libraryIn(const char* variable, const char* otherwise) {
  const char* value = std::getenv(variable);
  fs::path directory = value != nullptr ? value : otherwise;
  if (directory.empty()) FAIL(variable << " is not set: run scripts/test, which fetches that NVRTC");
  auto found = findLibraries(libraryKind(), {{directory}, {}, false});
  if (found.empty()) FAIL("there is no libnvrtc in " << directory << ": run scripts/test");
  return found.front().library;
}

struct Nvrtc {
  const char* version;
  const char* variable;
  const char* otherwise;
};
constexpr Nvrtc k13 = {"13.0", "KILN_TEST_NVRTC_13_0", "/usr/local/cuda/lib64"};
constexpr Nvrtc k12 = {"12.9", "KILN_TEST_NVRTC_12_9", ""};

std::unique_ptr<Compiler> compilerOf(const fs::path& library) {
  auto compiler = load(library);
  INFO((compiler ? "" : compiler.error().message));
  REQUIRE(compiler);
  return std::move(*compiler);
}
std::unique_ptr<Compiler> compilerOf(const Nvrtc& nvrtc) {
  return compilerOf(libraryIn(nvrtc.variable, nvrtc.otherwise));
}
std::unique_ptr<Compiler> misbehaving() { return compilerOf(fs::path(KILN_MISBEHAVING_NVRTC_LIBRARY)); }

Request requestFor(std::string source) {
  Request request;
  request.target = {Target::Kind::nvidiaReal, "sm_90"};
  request.source = std::move(source);
  request.names = {"k.cu", "/", {}};
  request.outputs = {OutputKind::cubin};
  return request;
}

const char* const kPlain = "__global__ void k(float* x) { *x *= 2; }\n";

Artifact artifactOf(Compiler& compiler, const Request& request) {
  auto artifact = compiler.compile(request);
  INFO((artifact ? "" : artifact.error().message + "\n" + artifact.error().log));
  REQUIRE(artifact);
  return *artifact;
}

Failure failureOf(Compiler& compiler, const Request& request) {
  auto artifact = compiler.compile(request);
  REQUIRE_FALSE(artifact);
  return artifact.error();
}

bool holds(const std::vector<std::string>& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

}  // namespace

TEST_CASE("each NVRTC tells its version, warms up and compiles") {
  auto nvrtc = GENERATE(k13, k12);
  auto compiler = compilerOf(nvrtc);
  CHECK(compiler->version() == nvrtc.version);
  CHECK(compiler->warm());
  auto artifact = artifactOf(*compiler, requestFor(kPlain));
  REQUIRE(artifact.outputs.size() == 1);
  CHECK(
      artifact.outputs[0].bytes.starts_with("\x7f"
                                            "ELF"));
  CHECK(artifact.log.empty());
  CHECK(artifact.loweredNames.empty());
}

TEST_CASE("one request yields cubin, PTX and LTO IR, each what a request for it alone yields") {
  auto compiler = compilerOf(GENERATE(k13, k12));
  auto request = requestFor(kPlain);
  request.outputs = {OutputKind::cubin, OutputKind::ptx, OutputKind::ltoir};
  auto all = artifactOf(*compiler, request);
  REQUIRE(all.outputs.size() == 3);
  for (const auto& output : all.outputs) {
    request.outputs = {output.kind};
    auto alone = artifactOf(*compiler, request);
    REQUIRE(alone.outputs.size() == 1);
    CHECK(alone.outputs[0].kind == output.kind);
    CHECK(alone.outputs[0].bytes == output.bytes);
    CHECK_FALSE(output.bytes.empty());
  }
  CHECK_THAT(all.outputs[1].bytes, Catch::Contains(".visible .entry"));
  CHECK(all.outputs[1].bytes.back() != '\0');
}

TEST_CASE("a virtual target yields PTX for it") {
  auto compiler = compilerOf(k13);
  auto request = requestFor(kPlain);
  request.target = {Target::Kind::nvidiaVirtual, "compute_80"};
  request.outputs = {OutputKind::ptx};
  CHECK_THAT(artifactOf(*compiler, request).outputs.at(0).bytes, Catch::Contains(".target sm_80"));
}

TEST_CASE("-dlto among the options is not given twice") {
  auto compiler = misbehaving();
  auto request = requestFor("k");
  request.outputs = {OutputKind::ltoir};
  request.options = {"-dlto"};
  auto bytes = artifactOf(*compiler, request).outputs.at(0).bytes;
  CHECK(bytes.find("option -dlto") == bytes.rfind("option -dlto"));
}

TEST_CASE(
    "NVRTC is given kiln's own options, then the include directories in order, then the options as they "
    "are") {
  auto compiler = misbehaving();
  auto request = requestFor("k");
  request.names.includeDirectories = {"one", "=two"};
  request.options = {"-D", "A B"};
  CHECK_THAT(
      artifactOf(*compiler, request).outputs.at(0).bytes,
      Catch::Contains(
          "option -arch=sm_90\noption --no-cache\noption --include-path=one\noption --include-path==two\n"
          "option -D\noption A B\n"));
}

TEST_CASE("lowered names come in the request's order, each expression once") {
  auto compiler = compilerOf(GENERATE(k13, k12));
  auto request = requestFor("template <int N> __global__ void t(int* x) { *x = N; }\n" + std::string(kPlain));
  request.nameExpressions = {"t<2>", "k", "t<1 + 2>", "k"};
  CHECK(artifactOf(*compiler, request).loweredNames ==
        std::vector<LoweredName>{{"t<2>", "_Z1tILi2EEvPi"}, {"k", "_Z1kPf"}, {"t<1 + 2>", "_Z1tILi3EEvPi"}});
}

TEST_CASE("a name expression that names nothing is a compile error with the log") {
  auto compiler = compilerOf(GENERATE(k13, k12));
  auto request = requestFor(kPlain);
  request.nameExpressions = {"nowhere<3>"};
  auto failure = failureOf(*compiler, request);
  CHECK(failure.kind == FailureKind::compileError);
  CHECK_THAT(failure.log, Catch::Contains("nowhere"));
}

TEST_CASE("the log has every warning, under the name of the source, without a NUL at its end") {
  auto compiler = compilerOf(GENERATE(k13, k12));
  auto request = requestFor("__global__ void k() { int neverUsed; }\n");
  request.names.source = "some/where.cu";
  auto log = artifactOf(*compiler, request).log;
  CHECK_THAT(log, Catch::Contains("some/where.cu(1): warning") && Catch::Contains("neverUsed"));
  CHECK(log.find('\0') == std::string::npos);
}

TEST_CASE("headers in memory are found by their names") {
  auto compiler = compilerOf(GENERATE(k13, k12));
  auto request =
      requestFor("#include <a/b.h>\n#include \"c.h\"\n__global__ void k(int* x) { *x = A + C; }\n");
  request.headers = {{"a/b.h", "#define A 1\n"}, {"c.h", "#define C 2\n"}};
  CHECK_FALSE(artifactOf(*compiler, request).outputs.at(0).bytes.empty());
}

TEST_CASE("headers on disk are found in the include directories, the first one first") {
  test::TemporaryDirectory root;
  for (const char* folder : {"one", "two"}) {
    fs::create_directory(root.path() / folder);
    std::ofstream(root.path() / folder / "which.h") << "#define WHICH " << folder << "_of_two\n";
  }
  auto compiler = compilerOf(GENERATE(k13, k12));
  auto request = requestFor("#include <which.h>\nextern \"C\" __global__ void WHICH() {}\n");
  request.outputs = {OutputKind::ptx};
  request.names.includeDirectories = {(root.path() / "two").string(), (root.path() / "one").string()};
  CHECK_THAT(artifactOf(*compiler, request).outputs.at(0).bytes, Catch::Contains("two_of_two"));
}

TEST_CASE("a source with errors is a compile error with the log as NVRTC wrote it") {
  auto compiler = compilerOf(GENERATE(k13, k12));
  auto failure = failureOf(*compiler, requestFor("__global__ void k() { undeclared(); }\n"));
  CHECK(failure.kind == FailureKind::compileError);
  CHECK_THAT(failure.message, Catch::Contains("k.cu"));
  CHECK_THAT(failure.log,
             Catch::StartsWith("k.cu(1): error") && Catch::Contains("\"undeclared\" is undefined"));
}

TEST_CASE("an option that NVRTC does not know is an invalid request with its log") {
  auto compiler = compilerOf(GENERATE(k13, k12));
  auto request = requestFor(kPlain);
  request.options = {"--no-such-option"};
  auto failure = failureOf(*compiler, request);
  CHECK(failure.kind == FailureKind::invalidRequest);
  CHECK_THAT(failure.log, Catch::Contains("--no-such-option"));
}

TEST_CASE("an option that kiln refuses does not reach NVRTC") {
  auto compiler = misbehaving();
  auto request = requestFor(kPlain);
  request.options = {"--pch"};
  auto failure = failureOf(*compiler, request);
  CHECK(failure.kind == FailureKind::invalidRequest);
  CHECK_THAT(failure.message, Catch::Contains("--pch"));
}

TEST_CASE("targets are those that NVRTC really compiles for") {
  auto compiler = compilerOf(GENERATE(k13, k12));
  const auto targets = compiler->targets().value();
  for (const auto& name : targets) {
    auto target = parseTarget(name);
    REQUIRE(target);
    auto request = requestFor("__global__ void k() {}\n");
    request.target = *target;
    request.outputs = {OutputKind::ptx};
    INFO(name);
    CHECK(compiler->compile(request));
  }
}

TEST_CASE("each NVRTC has its own list of targets, specific forms included") {
  auto new13 = compilerOf(k13)->targets().value();
  auto old12 = compilerOf(k12)->targets().value();
  for (const char* name : {"sm_90", "sm_90a", "sm_100f", "sm_120a", "compute_90a"}) {
    CHECK(holds(new13, name));
    CHECK(holds(old12, name));
  }
  CHECK_FALSE(holds(new13, "sm_70"));
  CHECK(holds(old12, "sm_70"));
  CHECK_FALSE(holds(new13, "sm_90f"));
  CHECK_FALSE(holds(new13, "sm_89a"));
}

TEST_CASE("a target that this NVRTC does not know is refused with the list of those it knows") {
  auto compiler = compilerOf(k13);
  auto request = requestFor(kPlain);
  request.target.name = GENERATE("sm_70", "sm_90f", "sm_999");
  auto failure = failureOf(*compiler, request);
  CHECK(failure.kind == FailureKind::unsupportedTarget);
  CHECK_THAT(failure.message, Catch::Contains(request.target.name) && Catch::Contains("NVRTC 13.0") &&
                                  Catch::Contains("sm_75, ") && Catch::Contains("compute_121f"));
}

TEST_CASE("a NUL character anywhere is refused, since NVRTC would stop reading there") {
  const std::string nul(1, '\0');
  auto compiler = misbehaving();
  auto broken = GENERATE(0, 1, 2, 3, 4, 5, 6);
  auto request = requestFor(kPlain);
  request.headers = {{"h.h", "text"}};
  request.names.includeDirectories = {"inc"};
  request.options = {"-DX"};
  request.nameExpressions = {"k"};
  std::string* const texts[] = {&request.source,
                                &request.names.source,
                                &request.headers[0].name,
                                &request.headers[0].content,
                                &request.options[0],
                                &request.names.includeDirectories[0],
                                &request.nameExpressions[0]};
  *texts[broken] += nul + "more";
  auto failure = failureOf(*compiler, request);
  CHECK(failure.kind == FailureKind::invalidRequest);
  CHECK_THAT(failure.message, Catch::Contains("NUL"));
}

TEST_CASE("running out of memory is no compile error") {
  auto compiler = misbehaving();
  CHECK(failureOf(*compiler, requestFor("misbehave: memory")).kind == FailureKind::memoryLimit);
  CHECK(failureOf(*compiler, requestFor("misbehave: error")).kind == FailureKind::compileError);
  auto front = requestFor("misbehave: error");
  front.names.source = "h.h(7): catastrophic error: out of memory\nk.cu";
  CHECK(failureOf(*compiler, front).kind == FailureKind::memoryLimit);
}

TEST_CASE("a source that speaks of memory is an ordinary compile error") {
  auto compiler = compilerOf(k13);
  auto failure = failureOf(*compiler, requestFor("#error catastrophic error: out of memory\n"));
  CHECK(failure.kind == FailureKind::compileError);
}

TEST_CASE("a file that is no NVRTC, or lacks its builtins, is an unavailable toolchain") {
  test::TemporaryDirectory root;
  auto library = root.path() / "libnvrtc.so.13";
  std::ofstream(library) << "no library";
  auto without = load(library);
  REQUIRE_FALSE(without);
  CHECK(without.error().kind == FailureKind::toolchainUnavailable);
  CHECK_THAT(without.error().message,
             Catch::Contains(library.string()) && Catch::Contains("libnvrtc-builtins"));

  fs::copy(fs::path(KILN_MISBEHAVING_NVRTC_LIBRARY).parent_path() / "libnvrtc-builtins.so.13.99",
           root.path());
  auto with = load(library);
  REQUIRE_FALSE(with);
  CHECK(with.error().kind == FailureKind::toolchainUnavailable);
  CHECK_THAT(with.error().message, Catch::Contains(library.string()) && Catch::Contains("too short"));
}

TEST_CASE("a library that lacks a function says which") {
  test::TemporaryDirectory root;
  auto folder = fs::path(KILN_MISBEHAVING_NVRTC_LIBRARY).parent_path();
  auto library = root.path() / "libnvrtc.so.13";
  fs::copy(folder / "libnvrtc-builtins.so.13.99", root.path());
  fs::copy(folder / "libnvrtc-builtins.so.13.99", library);
  auto loaded = load(library);
  REQUIRE_FALSE(loaded);
  CHECK_THAT(loaded.error().message, Catch::Contains("nvrtcGetErrorString"));
}

TEST_CASE("the environment variables that steer NVRTC do not reach it") {
  setenv("NV_NVVM_VERSION", "NVVM-unknown", 1);
  auto compiler = compilerOf(GENERATE(k13, k12));
  CHECK(compiler->compile(requestFor(kPlain)));
}

}  // namespace kiln::nvrtc
