#include "frontends/nvrtc/stages.h"

#include <catch2/catch.hpp>

namespace kiln::nvrtc {
namespace {

using Options = std::vector<std::string>;

Request stagedRequest(Options options = {}) {
  Request request;
  request.target = {Target::Kind::nvidiaReal, "sm_86"};
  request.virtualArchitecture = Target{Target::Kind::nvidiaVirtual, "compute_80"};
  request.source = "__global__ void k() {}";
  request.names = {"src/k.cu", "/work", {"inc"}, "/tmp"};
  request.headers = {{"a.h", "content"}};
  request.nameExpressions = {"k"};
  request.options = std::move(options);
  request.outputs = {OutputKind::cubin};
  request.timestamp = 7;
  return request;
}

}  // namespace

TEST_CASE("the first stage is the request itself, for the virtual architecture and PTX") {
  auto expected = stagedRequest({"-G", "-DN=1"});
  expected.target = *expected.virtualArchitecture;
  expected.virtualArchitecture.reset();
  expected.outputs = {OutputKind::ptx};
  CHECK(stagesOf(stagedRequest({"-G", "-DN=1"})).first == expected);
}

TEST_CASE("the last stage is a ptx request with nothing of the source but its name") {
  const auto last = stagesOf(stagedRequest()).last;
  CHECK(last.language == Language::ptx);
  CHECK(last.target.name == "sm_86");
  CHECK(last.names == Names{"src/k.cu.ptx", "/work", {}, "/tmp"});
  CHECK(last.outputs == std::vector<OutputKind>{OutputKind::cubin});
  CHECK((last.source.empty() && last.headers.empty() && last.nameExpressions.empty() && last.timestamp == 0));
}

TEST_CASE("the last stage has the options that machine code hangs on, in nvJitLink's words") {
  const auto linkOptions = [](Options options) {
    return stagesOf(stagedRequest(std::move(options))).last.options;
  };
  CHECK(linkOptions({"-G", "--device-debug"}) == Options{"-g", "-g"});
  CHECK(linkOptions({"-lineinfo", "--generate-line-info"}) == Options{"-lineinfo", "-lineinfo"});
  CHECK(linkOptions({"--maxrregcount=24", "-maxrregcount", "32"}) ==
        Options{"-maxrregcount=24", "-maxrregcount=32"});
  CHECK(linkOptions({"--ptxas-options=-O1", "-Xptxas", "-O2"}) == Options{"-Xptxas=-O1", "-Xptxas=-O2"});
  CHECK(linkOptions({"--device-stack-protector=true", "-Ofc", "max", "-w"}) ==
        Options{"-Xptxas=--device-stack-protector=true", "-Xptxas=--Ofast-compile=max", "-Xptxas=-w"});
  CHECK(linkOptions({"-G", "-dopt=on"}) == Options{"-lineinfo"});
  CHECK(linkOptions({"--use_fast_math", "-DN=3", "-D", "-G", "--std=c++20"}).empty());
}

TEST_CASE("code that is linked later has no stages") {
  const auto* option = GENERATE("-rdc=true", "-rdc", "-dc", "-ewp", "-dlto", "--gen-opt-lto");
  auto checked = checkStages(stagedRequest({option}));
  REQUIRE_FALSE(checked);
  CHECK(checked.error().kind == FailureKind::invalidRequest);
  CHECK(checkStages(stagedRequest({"-rdc=false", "-DN=1"})));
}

TEST_CASE("PTX is for a virtual architecture, and the target one that it runs on") {
  auto request = stagedRequest();
  request.virtualArchitecture = Target{Target::Kind::nvidiaReal, "sm_80"};
  CHECK(checkStages(request).error().kind == FailureKind::invalidRequest);
  request.virtualArchitecture = Target{Target::Kind::nvidiaVirtual, "compute_90"};
  CHECK(checkStages(request).error().kind == FailureKind::unsupportedTarget);
  request.target.name = "sm_100";
  CHECK(checkStages(request));
  request.virtualArchitecture->name = "compute_90a";
  CHECK(checkStages(request).error().kind == FailureKind::unsupportedTarget);
  request.target.name = "sm_90a";
  CHECK(checkStages(request));
}

TEST_CASE("stages yield a cubin and nothing else") {
  auto request = stagedRequest();
  request.outputs = {OutputKind::cubin, OutputKind::ptx};
  CHECK(checkStages(request).error().kind == FailureKind::invalidRequest);
  request.outputs = {OutputKind::cubin};
  request.target = {Target::Kind::nvidiaVirtual, "compute_90"};
  CHECK(checkStages(request).error().kind == FailureKind::invalidRequest);
}

}  // namespace kiln::nvrtc
