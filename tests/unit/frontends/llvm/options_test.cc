#include "frontends/llvm/options.h"

#include <catch2/catch.hpp>

#include "frontends/ir_options.h"

using namespace kiln;

namespace {

using Texts = std::vector<std::string>;

Request requestFor(const std::string& target, std::vector<OutputKind> outputs, Texts options = {}) {
  Request request;
  request.language = Language::llvmIr;
  request.target = *parseTarget(target);
  request.names.source = "k.ll";
  request.outputs = std::move(outputs);
  request.options = std::move(options);
  return request;
}

std::string refused(const Request& request) {
  auto checked = llvmir::checkOptions(request);
  REQUIRE_FALSE(checked);
  CHECK(checked.error().kind == FailureKind::invalidRequest);
  return checked.error().message;
}

}  // namespace

TEST_CASE("A level and a pipeline may be given, each once") {
  for (const auto& options :
       {Texts{}, Texts{"-O0"}, Texts{"-passes=mem2reg"}, Texts{"-O3", "-passes=default<O1>"}}) {
    CHECK(llvmir::checkOptions(requestFor("gfx90a", {OutputKind::hsaco}, options)));
  }
  for (const auto& options :
       {Texts{"-O4"}, Texts{"-Os"}, Texts{"-mcpu=gfx90a"}, Texts{"-passes"}, Texts{""}}) {
    CHECK_THAT(refused(requestFor("gfx90a", {OutputKind::hsaco}, options)),
               Catch::Contains("'" + options[0] + "'"));
  }
  CHECK_THAT(refused(requestFor("gfx90a", {OutputKind::hsaco}, {"-O1", "-O1"})), Catch::Contains("twice"));
  CHECK(irLevelIn({"-passes=mem2reg", "-O3"}) == '3');
  CHECK(irLevelIn({}) == '2');
  CHECK(llvmir::pipelineIn({"-O3", "-passes=mem2reg"}) == "mem2reg");
}

TEST_CASE("A pass that prints or writes is refused wherever it stands in a pipeline") {
  for (auto pipeline : {"print<domtree>", "function(mem2reg,print)", "module(view-callgraph)", "dot-cfg",
                        "default<O2>,print-callgraph", "\nprint", "aa-eval", "x=print"}) {
    CHECK_THAT(refused(requestFor("gfx90a", {OutputKind::hsaco}, {"-passes=" + std::string(pipeline)})),
               Catch::Contains("-passes= prints or writes"));
  }
}

TEST_CASE("Each kind of target has its own outputs") {
  CHECK(llvmir::checkOptions(requestFor("sm_90", {OutputKind::ptx})));
  CHECK(llvmir::checkOptions(requestFor("sm_90", {OutputKind::cubin})));
  CHECK(llvmir::checkOptions(requestFor("x86-64-v3", {OutputKind::sharedObject})));
  CHECK_THAT(refused(requestFor("sm_90", {OutputKind::hsaco})),
             Catch::Contains("ask for the output cubin, or ptx"));
  CHECK_THAT(refused(requestFor("gfx90a", {OutputKind::cubin})), Catch::Contains("ask for the output hsaco"));
  CHECK_THAT(refused(requestFor("znver4", {OutputKind::hsaco})),
             Catch::Contains("ask for the output shared-object"));
  CHECK_THAT(refused(requestFor("sm_90", {OutputKind::cubin, OutputKind::ptx})),
             Catch::Contains("a request of its own"));
}

TEST_CASE("A cubin is made in two stages, of which the second has no options of its own") {
  CHECK_FALSE(irStagesOf(requestFor("sm_90", {OutputKind::ptx})));
  CHECK_FALSE(irStagesOf(requestFor("gfx90a", {OutputKind::hsaco})));
  const auto stages = irStagesOf(requestFor("sm_90", {OutputKind::cubin}, {"-O3"}));
  REQUIRE(stages);
  CHECK(stages->first.outputs == std::vector{OutputKind::ptx});
  CHECK(stages->first.options == Texts{"-O3"});
  CHECK(stages->last.language == Language::ptx);
  CHECK(stages->last.names.source == "k.ll.ptx");
  CHECK(stages->last.options.empty());
  CHECK_FALSE(stages->hasOneNumbering);
}
