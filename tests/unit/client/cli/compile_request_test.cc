#include "client/cli/compile_request.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/support/temporary_directory.h"

namespace kiln::cli {
namespace {

namespace fs = std::filesystem;

class Directory : public test::TemporaryDirectory {
 public:
  std::string operator/(const char* name) const { return (path() / name).string(); }
  [[nodiscard]] std::string file(const char* name, const std::string& content) const {
    std::ofstream(path() / name, std::ios::binary) << content;
    return *this / name;
  }
  [[nodiscard]] auto files() const { return std::distance(fs::directory_iterator(path()), {}); }
};

CompileArguments argumentsFor(const std::string& file, const std::string& target) {
  CompileArguments arguments;
  arguments.file = file;
  arguments.target = target;
  return arguments;
}

std::vector<OutputKind> outputsOf(CompileArguments arguments, const std::string& outputPath) {
  arguments.outputPath = outputPath;
  auto prepared = prepareRequest(arguments);
  REQUIRE(prepared);
  return prepared->request.outputs;
}

}  // namespace

TEST_CASE("a request has the source, the headers, the names and the options of the command line") {
  Directory directory;
  auto arguments = argumentsFor(directory.file("k.cu", std::string("a\0b", 3)), "sm_90a");
  arguments.headers.push_back({"v.h", directory.file("generated.h", "#define V 1\n")});
  arguments.definitions = {"N=4"};
  arguments.options = {"-lineinfo"};
  arguments.includeDirectories = {"include"};
  arguments.nameExpressions = {"f<int>"};

  auto prepared = prepareRequest(arguments);
  REQUIRE(prepared);
  const auto& request = prepared->request;
  CHECK(request.source == std::string("a\0b", 3));
  CHECK(request.target.name == "sm_90a");
  CHECK(request.names.source == arguments.file);
  CHECK(request.names.workingDirectory == fs::current_path().string());
  CHECK(request.names.includeDirectories == std::vector<std::string>{"include"});
  CHECK(request.headers == std::vector<Header>{{"v.h", "#define V 1\n"}});
  CHECK(request.options == std::vector<std::string>{"-DN=4", "-lineinfo"});
  CHECK(request.nameExpressions == std::vector<std::string>{"f<int>"});

  arguments.name = "kernel.cu";
  CHECK(prepareRequest(arguments)->request.names.source == "kernel.cu");
}

TEST_CASE("what is to be linked with the source is read in order") {
  Directory directory;
  auto arguments = argumentsFor(directory.file("k.ptx", ".version 8.0"), "sm_90");
  arguments.inputs = {directory.file("b.ltoir", std::string("b\0", 2)), directory.file("a.ptx", "a")};
  auto prepared = prepareRequest(arguments);
  REQUIRE(prepared);
  CHECK(prepared->request.language == Language::ptx);
  CHECK(prepared->request.inputs == std::vector<std::string>{std::string("b\0", 2), "a"});
  CHECK(prepared->request.names.inputs == arguments.inputs);
  std::swap(arguments.file, arguments.inputs.front());
  CHECK(prepareRequest(arguments)->request.language == Language::ptx);
  arguments.inputs.push_back(directory / "missing.ptx");
  CHECK_THAT(std::get<FileProblem>(prepareRequest(arguments).error()).message,
             Catch::Contains("missing.ptx"));
}

TEST_CASE("a virtual architecture is none unless it is given, and is one") {
  Directory directory;
  auto arguments = argumentsFor(directory.file("k.cu", ""), "sm_86");
  CHECK_FALSE(prepareRequest(arguments)->request.virtualArchitecture);
  arguments.virtualArchitecture = "compute_80";
  CHECK(prepareRequest(arguments)->request.virtualArchitecture ==
        Target{Target::Kind::nvidiaVirtual, "compute_80"});
  arguments.virtualArchitecture = "i386";
  CHECK(std::get<Failure>(prepareRequest(arguments).error()).kind == FailureKind::unsupportedTarget);
}

TEST_CASE("-o tells its kind by its extension, else by the target") {
  Directory directory;
  auto real = argumentsFor(directory.file("k.cu", ""), "sm_90");
  auto virtualTarget = argumentsFor(real.file, "compute_90");
  using Kinds = std::vector<OutputKind>;
  CHECK(outputsOf(real, "") == Kinds{OutputKind::cubin});
  CHECK(outputsOf(real, "k") == Kinds{OutputKind::cubin});
  CHECK(outputsOf(real, "k.bin") == Kinds{OutputKind::cubin});
  CHECK(outputsOf(real, "k.ptx") == Kinds{OutputKind::ptx});
  CHECK(outputsOf(real, "k.ltoir") == Kinds{OutputKind::ltoir});
  CHECK(outputsOf(virtualTarget, "k") == Kinds{OutputKind::ptx});

  real.outputs = {{OutputKind::ptx, "b"}, {OutputKind::cubin, "a"}};
  CHECK(outputsOf(real, "") == Kinds{OutputKind::cubin, OutputKind::ptx});
}

TEST_CASE("one kind of output cannot have two places") {
  Directory directory;
  auto arguments = argumentsFor(directory.file("k.cu", ""), "sm_90");
  arguments.outputPath = "a.cubin";
  arguments.outputs = {{OutputKind::cubin, "b.cubin"}};
  auto prepared = prepareRequest(arguments);
  REQUIRE_FALSE(prepared);
  CHECK(std::get<Failure>(prepared.error()).kind == FailureKind::invalidRequest);
}

TEST_CASE("a file that cannot be read is named with the reason") {
  Directory directory;
  auto prepared = prepareRequest(argumentsFor(directory / "missing.cu", "sm_90"));
  REQUIRE_FALSE(prepared);
  auto message = std::get<FileProblem>(prepared.error()).message;
  CHECK_THAT(message, Catch::Contains("missing.cu") && Catch::Contains("No such file"));
}

TEST_CASE("an unknown target is refused before any file is read") {
  auto prepared = prepareRequest(argumentsFor("missing.cu", "potato"));
  REQUIRE_FALSE(prepared);
  CHECK(std::get<Failure>(prepared.error()).kind == FailureKind::unsupportedTarget);
}

TEST_CASE("files are written all or none, and nothing else is left behind") {
  Directory directory;
  auto first = directory.file("first", "old");
  auto failed = writeFiles({{first, "new"}, {directory / "no/such/place", "x"}});
  REQUIRE_FALSE(failed);
  CHECK_THAT(failed.error().message, Catch::Contains("no/such/place"));
  CHECK(readFile(first) == "old");
  CHECK(directory.files() == 1);

  REQUIRE(writeFiles({{first, "new"}, {directory / "second", "x"}}));
  CHECK(readFile(first) == "new");
  CHECK(readFile(directory / "second") == "x");
  CHECK(directory.files() == 2);
}

TEST_CASE("writing goes through a symbolic link and never replaces what is no regular file") {
  Directory directory;
  auto target = directory.file("target", "old");
  fs::create_symlink(target, directory / "link");
  REQUIRE(writeFiles({{directory / "link", "new"}}));
  CHECK(fs::is_symlink(directory / "link"));
  CHECK(readFile(target) == "new");

  REQUIRE(writeFiles({{"/dev/null", "x"}}));
  CHECK(fs::is_character_file("/dev/null"));
}

}  // namespace kiln::cli
