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
                    " sm_90",
                    "sm_-90",
                    "sm_9x"}) {
    auto target = parseTarget(text);
    REQUIRE_FALSE(target);
    REQUIRE(target.error().kind == FailureKind::unsupportedTarget);
    REQUIRE(target.error().message.find("'" + std::string(text) + "'") == 0);
  }
}
