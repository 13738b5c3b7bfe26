#include "jit/toolchain.h"

#include <catch2/catch.hpp>

using namespace kiln;

namespace {

std::shared_ptr<const Toolchain> nvrtc(std::string version, std::string problem = "") {
  Toolchain toolchain;
  toolchain.name = "nvrtc " + version;
  toolchain.frontend = "nvrtc";
  toolchain.version = std::move(version);
  toolchain.problem = std::move(problem);
  return std::make_shared<const Toolchain>(std::move(toolchain));
}

}  // namespace

TEST_CASE("Versions are compared number by number") {
  REQUIRE(isOlderVersion("12.9", "13.0"));
  REQUIRE(isOlderVersion("13.0", "13.10"));
  REQUIRE(isOlderVersion("13.9", "13.10"));
  REQUIRE(isOlderVersion("13", "13.1"));
  REQUIRE_FALSE(isOlderVersion("13.0", "13.0"));
  REQUIRE_FALSE(isOlderVersion("13", "13.0"));
  REQUIRE_FALSE(isOlderVersion("13.0", "13"));
  REQUIRE_FALSE(isOlderVersion("13.0", "12.9"));
}

TEST_CASE("Without a name the newest usable toolchain is chosen") {
  const ToolchainList toolchains = {nvrtc("12.9"), nvrtc("13.0"), nvrtc("13.5", "does not load")};
  REQUIRE(chooseToolchain(toolchains, Language::cuda, "") == toolchains[1]);
  REQUIRE(chooseToolchain(toolchains, Language::cuda, "nvrtc") == toolchains[1]);
}

TEST_CASE("A toolchain is chosen by its name") {
  const ToolchainList toolchains = {nvrtc("12.9"), nvrtc("13.0")};
  REQUIRE(chooseToolchain(toolchains, Language::cuda, "nvrtc 12.9") == toolchains[0]);
}

TEST_CASE("Among equals the first toolchain wins") {
  const ToolchainList toolchains = {nvrtc("13.0"), nvrtc("13.0")};
  REQUIRE(chooseToolchain(toolchains, Language::cuda, "") == toolchains[0]);
}

TEST_CASE("What one toolchain yields goes to the oldest that is not older and knows the target") {
  const auto knowing = [](Toolchain toolchain) {
    toolchain.targets = {"sm_120"};
    return std::make_shared<const Toolchain>(std::move(toolchain));
  };
  const ToolchainList toolchains = {nvrtc("13.9"),          nvrtc("12.8"), nvrtc("12.9", "does not load"),
                                    nvrtc("13.0"),          nvrtc("13.0"), knowing(*nvrtc("13.5")),
                                    knowing(*nvrtc("13.2"))};
  const Target old{Target::Kind::nvidiaReal, "sm_90"};
  const Target recent{Target::Kind::nvidiaReal, "sm_120"};
  const auto next = [&](const char* version, const Target& target, Language language = Language::cuda) {
    return chooseNextToolchain(toolchains, language, version, target);
  };
  REQUIRE(next("12.9", old) == toolchains[3]);
  REQUIRE(next("13.0", old) == toolchains[3]);
  REQUIRE(next("13.6", old) == toolchains[0]);
  REQUIRE(next("12.9", recent) == toolchains[6]);
  REQUIRE(next("13.3", recent) == toolchains[5]);
  REQUIRE(next("13.6", recent) == toolchains[0]);
  REQUIRE(next("14.0", recent) == nullptr);
  REQUIRE(next("12.0", old, Language::ptx) == nullptr);
}

TEST_CASE("No toolchain is chosen when none is usable, of the name or of the language") {
  const ToolchainList toolchains = {nvrtc("13.5", "does not load"), nvrtc("13.0")};
  REQUIRE(chooseToolchain(toolchains, Language::cuda, "nvrtc 13.5") == nullptr);
  REQUIRE(chooseToolchain(toolchains, Language::cuda, "nvrtc 13") == nullptr);
  REQUIRE(chooseToolchain(toolchains, static_cast<Language>(2), "") == nullptr);
  REQUIRE(chooseToolchain({}, Language::cuda, "") == nullptr);
}
