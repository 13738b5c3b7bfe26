#include "jit/target.h"

#include <catch2/catch.hpp>

using namespace kiln;

TEST_CASE("Real architectures are read with their a and f forms") {
  for (auto text : {"sm_75", "sm_90", "sm_90a", "sm_100f", "sm_121"}) {
    auto target = parseTarget(text);
    REQUIRE(target);
    REQUIRE(*target == Target{Target::Kind::nvidiaReal, text});
  }
}

TEST_CASE("Virtual architectures are read with their a and f forms") {
  for (auto text : {"compute_75", "compute_90a", "compute_120f"}) {
    auto target = parseTarget(text);
    REQUIRE(target);
    REQUIRE(*target == Target{Target::Kind::nvidiaVirtual, text});
  }
}

TEST_CASE("AMD's processors are read with their features, which are put in order") {
  for (auto text : {"gfx90a", "gfx1100", "gfx9-4-generic", "gfx90a:sramecc+:xnack-", "gfx906:xnack+"}) {
    auto target = parseTarget(text);
    REQUIRE(target);
    REQUIRE(*target == Target{Target::Kind::amd, text});
  }
  REQUIRE(parseTarget("gfx90a:xnack-:sramecc+")->name == "gfx90a:sramecc+:xnack-");
}

TEST_CASE("Processors are read as LLVM calls them, with their features in order") {
  for (auto text : {"x86-64", "x86-64-v3", "znver4", "core2", "znver4:avx512f-:sse4.1+"}) {
    auto target = parseTarget(text);
    REQUIRE(target);
    REQUIRE(*target == Target{Target::Kind::host, text});
  }
  REQUIRE(parseTarget("znver4:sha+:adx-")->name == "znver4:adx-:sha+");
}

TEST_CASE("What host means is for the asking machine to say") {
  auto target = parseTarget("host");
  REQUIRE_FALSE(target);
  REQUIRE(target.error().message.find("x86-64-v3") != std::string::npos);
}

TEST_CASE("A list of targets holds a processor whatever its features, a GPU with just these") {
  const std::vector<std::string> known = {"gfx90a", "gfx90a:xnack+", "znver4"};
  REQUIRE(checkTarget(*parseTarget("znver4:avx512f-"), known, "LLVM"));
  REQUIRE(checkTarget(*parseTarget("gfx90a:xnack+"), known, "LLVM"));
  REQUIRE_FALSE(checkTarget(*parseTarget("gfx90a:xnack-"), known, "LLVM"));
  REQUIRE_FALSE(checkTarget(*parseTarget("znver5"), known, "LLVM"));
}

TEST_CASE("A person is shown a few features by name and many by number") {
  REQUIRE(shortName(*parseTarget("gfx90a:sramecc+:xnack-")) == "gfx90a:sramecc+:xnack-");
  REQUIRE(shortName(*parseTarget("znver4:a+:b-:c+:d+:e-")) == "znver4 (5 features)");
}

TEST_CASE("What is no architecture is an unsupported target, named in the message") {
  for (auto text : {"",
                    "sm_",
                    "sm_9",
                    "sm_090",
                    "sm_1000",
                    "sm_90b",
                    "sm_90aa",
                    "sm_a",
                    "SM_90",
                    "90",
                    "gfx",
                    "gfxa",
                    "gfx90a:",
                    "gfx90a:xnack",
                    "gfx90a:xnack+:",
                    "gfx90a::xnack+",
                    "gfx90a:+",
                    "gfx90a:xnack+:xnack-",
                    "gfx90a:xnack+:xnack+",
                    "gfx90a:XNACK+",
                    "gfx90A",
                    "compute_",
                    "compute_9",
                    "sm_90 ",
                    "sm90",
                    "gfx-90a",
                    "potato",
                    "znver4:",
                    "znver4:avx2",
                    "Znver4",
                    " sm_90",
                    "sm_-90",
                    "sm_9x"}) {
    auto target = parseTarget(text);
    REQUIRE_FALSE(target);
    REQUIRE(target.error().kind == FailureKind::unsupportedTarget);
    REQUIRE(target.error().message.find("'" + std::string(text) + "'") == 0);
  }
}
