#include "client/cli/exit_code.h"

#include <catch2/catch.hpp>

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

}  // namespace kiln::cli
