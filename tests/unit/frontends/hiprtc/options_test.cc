#include "frontends/hiprtc/options.h"

#include <catch2/catch.hpp>

using namespace kiln;

namespace {

using Texts = std::vector<std::string>;

Request requestWith(Texts options) {
  Request request;
  request.language = Language::hip;
  request.target = {Target::Kind::amd, "gfx90a:sramecc+:xnack-"};
  request.names = {"k.hip", "/work", {"first"}};
  request.outputs = {OutputKind::hsaco};
  request.options = std::move(options);
  return request;
}

Failure refused(Texts options) {
  auto request = hiprtc::normalised(requestWith(std::move(options)));
  REQUIRE_FALSE(request);
  return request.error();
}

}  // namespace

TEST_CASE("Include directories and the target leave the options for their own fields") {
  auto request = hiprtc::normalised(
      requestWith({"-O2", "-Iinc", "-I", "a b", "-D", "-Ix", "--gpu-architecture=gfx90a:xnack-:sramecc+",
                   "--offload-arch=gfx90a:sramecc+:xnack-", "-g"}));
  REQUIRE(request);
  CHECK(request->options == Texts{"-O2", "-D", "-Ix", "-g"});
  CHECK(request->names.includeDirectories == Texts{"first", "inc", "a b"});
}

TEST_CASE("An architecture that contradicts the target is refused with both") {
  auto failure = refused({"--offload-arch=gfx90a"});
  CHECK(failure.kind == FailureKind::invalidRequest);
  CHECK(failure.message.find("'--offload-arch=gfx90a'") != std::string::npos);
  CHECK(failure.message.find("gfx90a:sramecc+:xnack-") != std::string::npos);
  CHECK(refused({"--gpu-architecture="}).message.find("lacks its value") != std::string::npos);
  CHECK(refused({"-I"}).message.find("lacks its value") != std::string::npos);
}

TEST_CASE("Options that time, start threads, load code or ask for something else are refused by name") {
  for (const Texts& options : std::vector<Texts>{{"-ftime-report"},
                                                 {"-ftime-trace=x"},
                                                 {"-parallel-jobs=4"},
                                                 {"-fplugin=/x.so"},
                                                 {"-fpass-plugin=/x.so"},
                                                 {"-Xclang", "-load"},
                                                 {"-mllvm", "--time-passes"},
                                                 {"-mllvm", "-stats"},
                                                 {"-mllvm=-load=x.so"},
                                                 {"-mllvm", "-print-after-all"},
                                                 {"-Xclang", "-ast-dump"},
                                                 {"@options"},
                                                 {"-E"},
                                                 {"-MD"},
                                                 {"-fsyntax-only"},
                                                 {"-o", "x"},
                                                 {"-mcpu=gfx90a"},
                                                 {"--target=amdgcn"}}) {
    auto failure = refused(options);
    INFO(options.front());
    CHECK(failure.kind == FailureKind::invalidRequest);
    CHECK(failure.message.find("the option '" + options.front()) == 0);
  }
}

TEST_CASE("Other options are left as they are") {
  const Texts options = {"-O1",
                         "-std=c++14",
                         "-mllvm",
                         "-amdgpu-early-inline-all=true",
                         "-munsafe-fp-atomics",
                         "-Xclang",
                         "-disable-llvm-passes",
                         "-include",
                         "x.h"};
  auto request = hiprtc::normalised(requestWith(options));
  REQUIRE(request);
  CHECK(request->options == options);
}

TEST_CASE("hiprtc yields machine code or bitcode, and with -fgpu-rdc bitcode alone") {
  auto request = requestWith({"-fgpu-rdc"});
  CHECK(hiprtc::checkOptions(request).error().message.find("-fgpu-rdc") != std::string::npos);
  request.outputs = {OutputKind::bitcode};
  CHECK(hiprtc::checkOptions(request));
  request = requestWith({});
  request.outputs = {OutputKind::hsaco, OutputKind::bitcode};
  CHECK(hiprtc::checkOptions(request));
  request.outputs = {OutputKind::cubin};
  CHECK(hiprtc::checkOptions(request).error().message.find("no cubin") != std::string::npos);
}

TEST_CASE("Debug information, coverage and included files bind names") {
  for (const char* option : {"-g", "-ggdb", "-gline-tables-only", "-fcoverage-mapping", "-include"}) {
    CHECK(hiprtc::optionsBindNames(requestWith({option})));
  }
  CHECK_FALSE(hiprtc::optionsBindNames(requestWith({"-O2", "-g0", "-D", "-g"})));
}
