#include "frontends/mlir/options.h"

#include <catch2/catch.hpp>

using namespace kiln;

namespace {

Request requestWith(std::vector<std::string> options) {
  Request request;
  request.language = Language::mlir;
  request.target = {Target::Kind::amd, "gfx90a"};
  request.names.source = "k.mlir";
  request.outputs = {OutputKind::hsaco};
  request.options = std::move(options);
  return request;
}

std::string refused(const std::string& option) {
  auto checked = mlirir::checkOptions(requestWith({option}));
  REQUIRE_FALSE(checked);
  CHECK(checked.error().kind == FailureKind::invalidRequest);
  return checked.error().message;
}

}  // namespace

TEST_CASE("MLIR takes a level and a pipeline, whose options are no passes") {
  CHECK(mlirir::checkOptions(requestWith({})));
  CHECK(mlirir::checkOptions(requestWith({"-O3", "pipeline=builtin.module(canonicalize)"})));
  CHECK(mlirir::checkOptions(requestWith({"pipeline=convert-gpu-to-rocdl{chipset=gfx90a runtime=HIP}"})));
  CHECK(mlirir::pipelineIn({"-O3", "pipeline=canonicalize"}) == "canonicalize");
  CHECK_THAT(refused("-passes=mem2reg"), Catch::Contains("MLIR") && Catch::Contains("pipeline="));
}

TEST_CASE("A pass of MLIR that prints, writes or runs programs is refused") {
  for (auto pass : {"print-ir", "builtin.module(view-op-graph)", "gpu.module(gpu-module-to-binary)",
                    "print-op-stats", "canonicalize,location-snapshot{filename=x}"}) {
    CHECK_THAT(refused("pipeline=" + std::string(pass)), Catch::Contains("of pipeline= prints or writes"));
  }
}
