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

TEST_CASE("What one toolchain yields goes to the oldest that is not older") {
  const ToolchainList toolchains = {nvrtc("13.5"), nvrtc("12.8"), nvrtc("12.9", "does not load"),
                                    nvrtc("13.0"), nvrtc("13.0")};
  REQUIRE(chooseNextToolchain(toolchains, Language::cuda, "12.9") == toolchains[3]);
  REQUIRE(chooseNextToolchain(toolchains, Language::cuda, "13.0") == toolchains[3]);
  REQUIRE(chooseNextToolchain(toolchains, Language::cuda, "13.1") == toolchains[0]);
  REQUIRE(chooseNextToolchain(toolchains, Language::cuda, "13.6") == nullptr);
  REQUIRE(chooseNextToolchain(toolchains, Language::ptx, "12.0") == nullptr);
}

TEST_CASE("No toolchain is chosen when none is usable, of the name or of the language") {
  const ToolchainList toolchains = {nvrtc("13.5", "does not load"), nvrtc("13.0")};
  REQUIRE(chooseToolchain(toolchains, Language::cuda, "nvrtc 13.5") == nullptr);
  REQUIRE(chooseToolchain(toolchains, Language::cuda, "nvrtc 13") == nullptr);
  REQUIRE(chooseToolchain(toolchains, static_cast<Language>(2), "") == nullptr);
  REQUIRE(chooseToolchain({}, Language::cuda, "") == nullptr);
}
