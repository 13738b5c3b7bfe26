#include "client/cli/arguments.h"

#include <catch2/catch.hpp>

namespace kiln::cli {
namespace {

using Arguments = std::vector<std::string>;

CommandLine parsed(const Arguments& arguments) {
  auto result = parseArguments(arguments);
  if (const auto* farewell = std::get_if<Farewell>(&result)) FAIL(farewell->text);
  return std::get<CommandLine>(result);
}

Farewell refused(const Arguments& arguments) {
  auto result = parseArguments(arguments);
  REQUIRE(std::holds_alternative<Farewell>(result));
  return std::get<Farewell>(result);
}

CompileArguments compileArguments(const Arguments& arguments) {
  return std::get<CompileArguments>(parsed(arguments).command);
}

}  // namespace

TEST_CASE("--json and --socket may stand before or behind the command") {
  for (const auto& arguments :
       {Arguments{"--json", "--socket", "/s", "stats"}, {"stats", "--json", "--socket", "/s"}}) {
    auto line = parsed(arguments);
    CHECK(line.format == Format::json);
    CHECK(line.socket == "/s");
    CHECK(std::holds_alternative<StatsArguments>(line.command));
  }
  CHECK(parsed({"stats"}).format == Format::text);
}

TEST_CASE("every command without arguments is its own") {
  CHECK(std::holds_alternative<ToolchainsArguments>(parsed({"toolchains"}).command));
  CHECK(std::holds_alternative<ListArguments>(parsed({"ls"}).command));
  CHECK(std::holds_alternative<StatusArguments>(parsed({"status"}).command));
  CHECK(std::holds_alternative<StopArguments>(parsed({"stop"}).command));
  CHECK(std::get<ShowArguments>(parsed({"show", "00ff"}).command).key == "00ff");
}

TEST_CASE("compile takes further inputs behind the first, wherever its options stand") {
  for (const auto& arguments :
       {Arguments{"compile", "a.ptx", "b.ptx", "c.ltoir", "--target", "sm_90", "-o", "k.cubin", "--", "-lto"},
        Arguments{"compile", "--target", "sm_90", "a.ptx", "-o", "k.cubin", "b.ptx", "c.ltoir", "--",
                  "-lto"}}) {
    auto compile = compileArguments(arguments);
    CHECK(compile.file == "a.ptx");
    CHECK(compile.inputs == Arguments{"b.ptx", "c.ltoir"});
    CHECK(compile.outputPath == "k.cubin");
    CHECK(compile.options == Arguments{"-lto"});
  }
}

TEST_CASE("toolchains may be asked to look once more") {
  CHECK_FALSE(std::get<ToolchainsArguments>(parsed({"toolchains"}).command).rescan);
  CHECK(std::get<ToolchainsArguments>(parsed({"toolchains", "--rescan"}).command).rescan);
  CHECK_THAT(refused({"toolchains", "--help"}).text, Catch::Contains("--rescan"));
  CHECK(refused({"stats", "--rescan"}).code == ExitCode::usage);
}

TEST_CASE("compile takes everything a request has") {
  auto arguments = compileArguments({"compile",
                                     "k.cu",
                                     "--target",
                                     "sm_90",
                                     "--language",
                                     "cuda",
                                     "--toolchain",
                                     "nvrtc 12.9",
                                     "-o",
                                     "k.cubin",
                                     "--output",
                                     "ptx=k.ptx",
                                     "-I",
                                     "include",
                                     "-Iother",
                                     "-D",
                                     "N=4",
                                     "-DFLAG",
                                     "--name-expression",
                                     "f<int, 2>",
                                     "--header",
                                     "v.h=gen/v.h",
                                     "--name",
                                     "kernel.cu",
                                     "--allow",
                                     "/opt/h",
                                     "--timeout",
                                     "1.5",
                                     "--priority",
                                     "interactive"});
  CHECK(arguments.file == "k.cu");
  CHECK(arguments.target == "sm_90");
  CHECK(arguments.toolchain == "nvrtc 12.9");
  CHECK(arguments.outputPath == "k.cubin");
  REQUIRE(arguments.outputs.size() == 1);
  CHECK(arguments.outputs[0].kind == OutputKind::ptx);
  CHECK(arguments.outputs[0].path == "k.ptx");
  CHECK(arguments.includeDirectories == Arguments{"include", "other"});
  CHECK(arguments.definitions == Arguments{"N=4", "FLAG"});
  CHECK(arguments.nameExpressions == Arguments{"f<int, 2>"});
  REQUIRE(arguments.headers.size() == 1);
  CHECK(arguments.headers[0].name == "v.h");
  CHECK(arguments.headers[0].path == "gen/v.h");
  CHECK(arguments.name == "kernel.cu");
  CHECK(arguments.allowedDirectories == Arguments{"/opt/h"});
  CHECK(arguments.timeout == std::chrono::milliseconds(1500));
  CHECK(arguments.priority == Priority::interactive);
}

TEST_CASE("an option that may be repeated takes one value at a time") {
  auto arguments = compileArguments({"compile", "-I", "a", "k.cu", "-I", "b", "--target", "sm_90"});
  CHECK(arguments.file == "k.cu");
  CHECK(arguments.includeDirectories == Arguments{"a", "b"});
}

TEST_CASE("what stands behind -- goes to the compiler as it is") {
  auto arguments =
      compileArguments({"compile", "-", "--target", "sm_90", "--", "--json", "-lineinfo", "--", "-o", "x"});
  CHECK(arguments.file == "-");
  CHECK(arguments.options == Arguments{"--json", "-lineinfo", "--", "-o", "x"});
  CHECK(arguments.outputPath.empty());
}

TEST_CASE("what is wrong with the command line is named, with status 2") {
  struct Case {
    Arguments arguments;
    std::string named;
  };
  for (const auto& [arguments, named] :
       std::vector<Case>{{{}, "kiln: give a command\nSee kiln --help."},
                         {{"bake"}, "there is no command 'bake'"},
                         {{"bake", "--slowly"}, "there is no command 'bake'"},
                         {{"--slowly", "stats"}, "stats knows no option '--slowly'\nSee kiln stats --help."},
                         {{"compile", "k.cu"}, "kiln: --target is required\nSee kiln compile --help."},
                         {{"compile", "k.cu", "--targt", "sm_90"}, "kiln: compile knows no option '--targt'"},
                         {{"compile", "--target", "sm_90"}, "FILE"},
                         {{"compile", "a.ptx", "-", "--target", "sm_90"}, "INPUT"},
                         {{"compile", "k.cu", "--target", "sm_90", "--output", "k.ptx"}, "KIND=PATH"},
                         {{"compile", "k.cu", "--target", "sm_90", "--output", "exe=k"}, "'exe'"},
                         {{"compile", "k.cu", "--target", "sm_90", "--output", "ptx=-"}, "./-"},
                         {{"compile", "k.cu", "--target", "sm_90", "-o", "-"}, "./-"},
                         {{"compile", "k.cu", "--target", "sm_90", "--header", "=p"}, "NAME=PATH"},
                         {{"compile", "k.cu", "--target", "sm_90", "--timeout", "0"}, "--timeout"},
                         {{"compile", "k.cu", "--target", "sm_90", "--timeout", "nan"}, "--timeout"},
                         {{"compile", "k.cu", "--target", "sm_90", "--language", "fortran"}, "--language"},
                         {{"compile", "k.cu", "--target", "sm_90", "--priority", "9"}, "--priority"},
                         {{"show"}, "KEY"},
                         {{"stats", "--", "-lineinfo"}, "-lineinfo"}}) {
    auto farewell = refused(arguments);
    CHECK(farewell.code == ExitCode::usage);
    CHECK_THAT(farewell.text,
               Catch::StartsWith("kiln: ") && Catch::Contains(named) && Catch::EndsWith(" --help.\n"));
  }
}

TEST_CASE("an option of the compiler that stands among kiln's own is told its place") {
  for (const std::string option : {"--use_fast_math", "-lineinfo"}) {
    CHECK(refused({"compile", "k.cu", "--target", "sm_90", option}).text ==
          "kiln: compile knows no option '" + option +
              "'; options for the compiler stand behind --: kiln compile FILE --target T -- " + option +
              "\nSee kiln compile --help.\n");
  }
  CHECK_THAT(refused({"run", "k.ll", "--kernel", "k", "-O3"}).text,
             Catch::Contains("stand behind --: kiln run FILE --kernel NAME -- -O3\n"));
  CHECK_THAT(refused({"run", "k.ll", "--kernel", "k", "i64=1"}).text,
             Catch::Contains("stands behind --arg\n"));
}

TEST_CASE("what stands behind -- is in the usage of those that take it") {
  CHECK_THAT(refused({"run", "--help"}).text, Catch::Contains("FILE [-- OPTION...]\n"));
  CHECK_THAT(refused({"record", "--help"}).text, Catch::Contains("[OPTIONS] [-- COMMAND...]\n"));
  CHECK_THAT(refused({"build", "--help"}).text, !Catch::Contains("[--"));
}

TEST_CASE("the command to record, locks to merge and what is built are taken as they stand") {
  const auto record = std::get<RecordArguments>(parsed({"record", "-o", "app.lock", "--merge", "a.lock",
                                                        "--merge", "b.lock", "--", "app", "-o", "--json"})
                                                    .command);
  CHECK(record.output == "app.lock");
  CHECK(record.merged == Arguments{"a.lock", "b.lock"});
  CHECK(record.command == Arguments{"app", "-o", "--json"});
  CHECK_THAT(refused({"record", "-o", "app.lock"}).text,
             Catch::Contains("give the command to record behind --"));
  const auto build = std::get<BuildArguments>(parsed({"build", "app.lock", "--target", "sm_80", "--target",
                                                      "gfx942", "--toolchain", "nvrtc", "-o", "x/"})
                                                  .command);
  CHECK((build.lock == "app.lock" && build.output == "x/"));
  CHECK(build.targets == Arguments{"sm_80", "gfx942"});
  CHECK(build.toolchains == Arguments{"nvrtc"});
  const auto merge = std::get<BundleArguments>(parsed({"bundle", "merge", "a", "b", "c", "-o", "d"}).command);
  CHECK(merge.action == BundleArguments::Action::merge);
  CHECK(merge.bundles == Arguments{"a", "b", "c"});
  CHECK_FALSE(refused({"bundle", "diff", "a"}).text.empty());
}

TEST_CASE("the help of compile has all that a line with it may hold, and what the exit status tells") {
  const auto help = refused({"compile", "--help"}).text;
  CHECK_THAT(help, Catch::Contains("Usage: kiln compile [OPTIONS] FILE [INPUT...] [-- OPTION...]\n"));
  for (const char* part : {"--json", "--socket PATH", "-o PATH", "-I DIR", "--name NAME",
                           "--output KIND=PATH", "Exit status:", "3  kilnd cannot be reached"}) {
    CHECK_THAT(help, Catch::Contains(part));
  }
  CHECK_THAT(help, !Catch::Contains("TEXT"));
  CHECK_THAT(refused({"show", "--help"}).text, Catch::Contains("--json") && !Catch::Contains("TEXT"));
  CHECK_THAT(refused({"--help"}).text, Catch::Contains("--socket PATH") && !Catch::Contains("[-- OPTION"));
}

TEST_CASE("help and the version are no errors") {
  auto help = refused({"--help"});
  CHECK(help.code == ExitCode::done);
  CHECK_THAT(help.text, Catch::Contains("3  kilnd cannot be reached"));
  auto version = refused({"--version"});
  CHECK(version.code == ExitCode::done);
  CHECK(version.text == "kiln 0.1.0\n");
}

TEST_CASE("warm takes a bundle, a listing or a removal, and one of them alone") {
  CHECK(std::get<WarmArguments>(parsed({"warm", "app.kiln"}).command).bundle == "app.kiln");
  CHECK(std::get<WarmArguments>(parsed({"warm", "--list"}).command).list);
  CHECK(std::get<WarmArguments>(parsed({"warm", "--remove", "app.kiln"}).command).removed == "app.kiln");
  for (const Arguments& wrong : {Arguments{"warm"},
                                 {"warm", "app.kiln", "--list"},
                                 {"warm", "app.kiln", "--remove", "x"},
                                 {"warm", "--list", "--remove", "x"}}) {
    CHECK(refused(wrong).code == ExitCode::usage);
  }
  CHECK(std::holds_alternative<LanesArguments>(parsed({"lanes"}).command));
}

TEST_CASE("coverage is of a bundle or of the daemon") {
  CHECK(std::get<CoverageArguments>(parsed({"coverage", "app.lock", "app.kiln"}).command).bundle ==
        "app.kiln");
  CHECK(std::get<CoverageArguments>(parsed({"coverage", "app.lock", "--daemon"}).command).isOfDaemon);
  CHECK(refused({"coverage", "app.lock"}).code == ExitCode::usage);
  CHECK(refused({"coverage", "app.lock", "app.kiln", "--daemon"}).code == ExitCode::usage);
}

}  // namespace kiln::cli
