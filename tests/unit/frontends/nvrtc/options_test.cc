#include "frontends/nvrtc/options.h"

#include <catch2/catch.hpp>

namespace kiln::nvrtc {
namespace {

using Options = std::vector<std::string>;

Request requestWith(Options options) {
  Request request;
  request.target = {Target::Kind::nvidiaReal, "sm_90"};
  request.source = "__global__ void k() {}";
  request.names = {"k.cu", "/work", {"first"}};
  request.options = std::move(options);
  request.outputs = {OutputKind::cubin};
  return request;
}

std::string refusalOf(const Options& options) {
  auto checked = checkOptions(requestWith(options));
  if (checked) return "accepted";
  CHECK(checked.error().kind == FailureKind::invalidRequest);
  return checked.error().message;
}

Request normalisedWith(const Options& options) {
  auto request = normalised(requestWith(options));
  INFO((request ? "" : request.error().message));
  REQUIRE(request);
  return *request;
}

}  // namespace

TEST_CASE("every spelling of an include directory becomes a directory of the request, in order") {
  const auto spelling = GENERATE(Options{"-Iinc"}, Options{"-I", "inc"}, Options{"-I inc"},
                                 Options{"-I \t inc"}, Options{"-I=inc"}, Options{" -Iinc "},
                                 Options{"--include-path=inc"}, Options{"--include-path", "inc"});
  auto options = spelling;
  options.insert(options.begin(), "-DA");
  options.push_back("--std=c++17");
  options.push_back("-Ilast");

  auto request = normalisedWith(options);

  CHECK(request.names.includeDirectories == Options{"first", "inc", "last"});
  CHECK(request.options == Options{"-DA", "--std=c++17"});
}

TEST_CASE("what follows an option with a value is that value, whatever it looks like") {
  auto request = normalisedWith(
      {"-D", "-Idefined", "-U", "-arch=sm_80", "-include", "-Iheader", "--define-macro", "--pch"});
  CHECK(request.names.includeDirectories == Options{"first"});
  CHECK(request.options.size() == 8);
}

TEST_CASE("options that are no business of kiln's stay as they were, element by element") {
  const Options options = {"-D",
                           "NAME=a b",
                           " --std=c++20",
                           "-Xptxas",
                           "-O2",
                           "--ptxas-options=--warn-on-spills",
                           "-rdc",
                           "true",
                           "-w",
                           "-Xcudafe",
                           "--diag_suppress=177"};
  CHECK(normalisedWith(options).options == options);
}

TEST_CASE("an -arch that says what the target says is dropped") {
  const auto options = GENERATE(Options{"-arch=sm_90"}, Options{"-arch", "sm_90"},
                                Options{"--gpu-architecture=sm_90"}, Options{"--gpu-architecture", "sm_90"});
  CHECK(normalisedWith(options).options.empty());
}

TEST_CASE("an -arch that contradicts the target is refused, naming both") {
  const auto options = GENERATE(Options{"-arch=sm_80"}, Options{"-arch", "sm_80"},
                                Options{"--gpu-architecture=sm_80"}, Options{"--gpu-architecture", "sm_80"});
  auto request = normalised(requestWith(options));
  REQUIRE_FALSE(request);
  CHECK(request.error().kind == FailureKind::invalidRequest);
  CHECK_THAT(request.error().message, Catch::Contains("sm_80") && Catch::Contains("sm_90"));
}

TEST_CASE("an include directory or an architecture without a value is refused") {
  const auto options =
      GENERATE(Options{"-I"}, Options{"--include-path="}, Options{"-arch"}, Options{"-arch="});
  auto request = normalised(requestWith(options));
  REQUIRE_FALSE(request);
  CHECK_THAT(request.error().message, Catch::Contains("lacks its value"));
}

TEST_CASE("blanks behind an include directory are taken off, as NVRTC does") {
  CHECK(normalisedWith({"--include-path= a b\t", "--include-path=c\n"}).names.includeDirectories ==
        std::vector<std::string>{"first", " a b", "c"});
  Request request;
  request.names.includeDirectories = {" \t"};
  CHECK_FALSE(normalised(request));
}

TEST_CASE("--no-cache is dropped, since kiln gives it by itself") {
  CHECK(normalisedWith({"--no-cache", "-no-cache"}).options.empty());
}

TEST_CASE("options that cannot be keyed are refused by name, with the reason") {
  struct Case {
    Options options;
    std::string named, reason;
  };
  const auto refused = GENERATE(values<Case>({
      {{"--pch"}, "--pch", "precompiled headers"},
      {{"-pch"}, "-pch", "precompiled headers"},
      {{"--create-pch=x"}, "--create-pch x", "precompiled headers"},
      {{"-use-pch=x"}, "-use-pch x", "precompiled headers"},
      {{"--pch-dir=x"}, "--pch-dir x", "precompiled headers"},
      {{"--pch-verbose=true"}, "--pch-verbose true", "precompiled headers"},
      {{"--pch-messages", "true"}, "--pch-messages true", "precompiled headers"},
      {{"--instantiate-templates-in-pch=true"}, "--instantiate-templates-in-pch true", "precompiled headers"},
      {{"--time=x.csv"}, "--time x.csv", "times"},
      {{"-time=-"}, "-time -", "times"},
      {{"--fdevice-time-trace=x"}, "--fdevice-time-trace x", "times"},
      {{"-fdevice-time-trace=x"}, "-fdevice-time-trace x", "times"},
      {{"--enable-cache-trace"}, "--enable-cache-trace", "cache"},
      {{"--split-compile=4"}, "--split-compile 4", "threads"},
      {{"-split-compile", "0"}, "-split-compile 0", "threads"},
      {{"-Xnvvm", "-opt"}, "-Xnvvm -opt", "NVVM"},
      {{"--optix-ir"}, "--optix-ir", "OptiX"},
      {{"-Xptxas", "-v"}, "-Xptxas -v", "how long"},
      {{"-Xptxas=--verbose"}, "-Xptxas --verbose", "how long"},
      {{"--ptxas-options=-o"}, "--ptxas-options -o", "writes a file"},
      {{"--ptxas-options", "--output-file=x"}, "--ptxas-options --output-file=x", "writes a file"},
      {{"-Xptxas", "--split-compile=2"}, "-Xptxas --split-compile=2", "threads"},
      {{"-Xptxas", "-optf"}, "-Xptxas -optf", "options from a file"},
      {{"-Xcudafe", "--list=x"}, "-Xcudafe --list=x", "front end"},
      {{"-Xcudafe=-Iinc"}, "-Xcudafe -Iinc", "front end"},
      {{"-Iinc"}, "-I inc", "own field"},
      {{"--gpu-architecture=sm_90"}, "--gpu-architecture sm_90", "own field"},
  }));
  CHECK_THAT(refusalOf(refused.options),
             Catch::Contains("'" + refused.named + "'") && Catch::Contains(refused.reason));
}

TEST_CASE("options that only resemble a refused one are accepted") {
  const auto options = GENERATE(Options{"-DI=--pch"}, Options{"--timeless"}, Options{"-Xptxas", "-O1"},
                                Options{"-Xptxas", "--no-v"}, Options{"-w"}, Options{"-G"},
                                Options{"--fdevice-syntax-only"}, Options{"--no-cache"});
  CHECK(refusalOf(options) == "accepted");
}

TEST_CASE("a cubin for a virtual target is refused") {
  auto request = requestWith({});
  request.target = {Target::Kind::nvidiaVirtual, "compute_90"};
  auto checked = checkOptions(request);
  REQUIRE_FALSE(checked);
  CHECK_THAT(checked.error().message, Catch::Contains("compute_90") && Catch::Contains("no cubin"));

  request.outputs = {OutputKind::ptx, OutputKind::ltoir};
  CHECK(checkOptions(request));
}

TEST_CASE("-dlto is refused beside outputs that it does not yield") {
  CHECK_THAT(refusalOf({"-dlto"}), Catch::Contains("-dlto") && Catch::Contains("no cubin"));
  auto request = requestWith({"--dlink-time-opt"});
  request.outputs = {OutputKind::ltoir};
  CHECK(checkOptions(request));
}

TEST_CASE("names bind where options or outputs bring them into the output") {
  const auto options = GENERATE(
      Options{"-G"}, Options{"--device-debug"}, Options{"-lineinfo"}, Options{"--generate-line-info"},
      Options{"-dlto"}, Options{"-rdc=true"}, Options{"-rdc", "true"},
      Options{"--relocatable-device-code=true"}, Options{"-dc"}, Options{"--device-c"}, Options{"-ewp"},
      Options{"-DX", " -lineinfo "}, Options{"-include", "v.h"}, Options{"--pre-include=v.h"});
  CHECK(optionsBindNames(requestWith(options)));
  auto request = requestWith({});
  request.outputs = {OutputKind::ltoir};
  CHECK(optionsBindNames(request));
}

TEST_CASE("names do not bind for other options") {
  const auto options =
      GENERATE(Options{}, Options{"-D", "-G"}, Options{"-rdc=false"}, Options{"-rdc", "false"},
               Options{"--std=c++17", "-w", "--use_fast_math"}, Options{"-D", "-lineinfo"});
  CHECK_FALSE(optionsBindNames(requestWith(options)));
}

}  // namespace kiln::nvrtc
