#include "client/cli/exit_code.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace kiln::cli {

TEST_CASE("every failure has a status, and --help names it on that status's line") {
  std::string help = exitCodeHelp();
  for (std::uint16_t number = 1; failureKindFromNumber(number); ++number) {
    auto kind = *failureKindFromNumber(number);
    auto start = help.find("\n  " + std::to_string(static_cast<int>(exitCodeOf(kind))) + "  ");
    REQUIRE(start != std::string::npos);
    auto line = help.substr(start + 1, help.find('\n', start + 1) - start);
    INFO(name(kind));
    CHECK_THAT(line, Catch::Contains(std::string(name(kind))));
  }
}

TEST_CASE("every failure has the status that the documentation says") {
  std::ifstream file(std::filesystem::path(KILN_SOURCE_DIR) / "docs" / "ARCHITECTURE.md");
  std::ostringstream text;
  text << file.rdbuf();
  for (const auto& failure : kFailures) {
    auto start = text.str().find("\n| `" + std::string(failure.name) + "` |");
    REQUIRE(start != std::string::npos);
    auto line = text.str().substr(start + 1, text.str().find('\n', start + 1) - start - 1);
    INFO(line);
    CHECK(line.ends_with(" | " + std::to_string(static_cast<int>(exitCodeOf(failure.kind))) + " |"));
  }
}

}  // namespace kiln::cli
