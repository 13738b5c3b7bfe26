#include "frontends/nvjitlink/options.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace kiln::nvjitlink {
namespace {

using Catch::Contains;

Request requestWith(std::vector<std::string> options) {
  Request request;
  request.language = Language::ptx;
  request.target = {Target::Kind::nvidiaReal, "sm_90"};
  request.source = ".version 8.0\n.target sm_80\n";
  request.names.source = "k.ptx";
  request.names.workingDirectory = "/";
  request.options = std::move(options);
  request.outputs = {OutputKind::cubin};
  return request;
}

Failure refusalOf(const Request& request) {
  auto checked = checkOptions(request);
  return checked ? Failure{} : checked.error();
}

}  // namespace

TEST_CASE("options that say what kiln says are dropped, others kept in order") {
  auto request = normalised(requestWith({"-O2", "-arch=sm_90", "-no-cache", "-maxrregcount=32", "-O2"}));
  REQUIRE(request);
  CHECK(request->options == std::vector<std::string>{"-O2", "-maxrregcount=32", "-O2"});
}

TEST_CASE("options that a cached compile cannot have are refused by name") {
  for (const std::string option : {"-time",
                                   "-verbose",
                                   "-verbose=1",
                                   "-split-compile=4",
                                   "-split-compile-extended=2",
                                   "-ptx",
                                   "-Xnvvm=-opt=3",
                                   "-arch=sm_80",
                                   "-Xptxas=-v",
                                   "-Xptxas=--verbose",
                                   "-Xptxas=-o=x",
                                   "-Xptxas=-arch=sm_80",
                                   "-Xptxas=-gpu-name=sm_80",
                                   "-timex",
                                   "-verbosex",
                                   "--trace",
                                   "-uidx=f",
                                   "-Xptxas=other.ptx",
                                   "-Xptxas=-query-controls=f",
                                   "-Xptxas=-apply-controls=f",
                                   "-Xptxas=-h",
                                   "-Xptxas=-V"}) {
    auto failure = refusalOf(requestWith({"-O3", option}));
    CHECK(failure.kind == FailureKind::invalidRequest);
    CHECK_THAT(failure.message, Contains("'" + option + "'") && Contains("leave it out"));
  }
  for (const std::string option : {"-O0", "-g", "-lineinfo", "-r", "-Xptxas=-O1", "-fma=0", "--unknown"}) {
    CHECK(checkOptions(requestWith({option})));
  }
}

TEST_CASE("what PTX has none of is refused") {
  auto check = [](auto change, const std::string& said) {
    auto request = requestWith({});
    change(request);
    auto failure = refusalOf(request);
    CHECK(failure.kind == FailureKind::invalidRequest);
    CHECK_THAT(failure.message, Contains(said));
  };
  check([](Request& request) { request.headers = {{"a.h", ""}}; }, "no headers");
  check([](Request& request) { request.names.includeDirectories = {"inc"}; }, "no include directories");
  check([](Request& request) { request.nameExpressions = {"k"}; }, "no name expressions");
  check([](Request& request) { request.outputs = {OutputKind::cubin, OutputKind::ptx}; }, "no ptx");
  check([](Request& request) { request.target = {Target::Kind::nvidiaVirtual, "compute_90"}; }, "compute_90");
}

TEST_CASE("PTX for an architecture that the target is not names both") {
  auto request = requestWith({});
  request.source = "// made by hand\n.version 8.7\n.target sm_100a\n";
  auto failure = refusalOf(request);
  CHECK(failure.kind == FailureKind::unsupportedTarget);
  CHECK_THAT(failure.message,
             Contains("k.ptx") && Contains("sm_100a") && Contains("8.7") && Contains("sm_90"));
}

TEST_CASE("every input of PTX is held against the target") {
  auto request = requestWith({});
  request.inputs = {".version 8.0\n.target sm_90\n", ".version 8.8\n.target sm_103a\n"};
  request.names.inputs = {"a.ptx", "b.ptx"};
  auto failure = refusalOf(request);
  CHECK(failure.kind == FailureKind::unsupportedTarget);
  CHECK_THAT(failure.message,
             Contains("'b.ptx'") && Contains("sm_103a") && Contains("8.8") && Contains("sm_90;"));
}

TEST_CASE("LTO IR goes with -lto, and -lto with LTO IR") {
  const std::string ltoIr = "\xed\x43\x4e\x7f and so on";
  auto check = [](const Request& request, const std::string& named) {
    auto failure = refusalOf(request);
    CHECK(failure.kind == FailureKind::invalidRequest);
    CHECK_THAT(failure.message, Contains(named) && Contains("-lto"));
  };
  auto request = requestWith({"-O3"});
  request.inputs = {ltoIr};
  request.names.inputs = {"a.ltoir"};
  check(request, "'a.ltoir' is LTO IR");
  request.options.emplace_back("-lto");
  CHECK(checkOptions(request));
  request.inputs.clear();
  request.names.inputs.clear();
  check(request, "'k.ptx' is PTX");
  request.source = ltoIr;
  CHECK(checkOptions(request));
  request.options.clear();
  check(request, "'k.ptx' is LTO IR");
}

}  // namespace kiln::nvjitlink
