#include "jit/failure.h"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

using namespace kiln;

namespace {

// The rows of the table of failures in docs/ARCHITECTURE.md, up to the exit status.
std::vector<std::string> documentedFailures() {
  std::ifstream file(std::filesystem::path(KILN_SOURCE_DIR) / "docs" / "ARCHITECTURE.md");
  std::string line;
  while (std::getline(file, line) && line != "## Failures") continue;
  std::vector<std::string> rows;
  while (std::getline(file, line) && !line.starts_with("## ")) {
    if (!line.starts_with("| `")) continue;
    rows.push_back(line.substr(0, line.rfind("| ", line.size() - 3)));
  }
  return rows;
}

}  // namespace

TEST_CASE("Failures have the names and numbers they always had") {
  const std::map<std::uint16_t, std::string_view> names = {
      {1, "compile_error"}, {2, "invalid_request"}, {3, "unsupported_target"}, {4, "toolchain_unavailable"},
      {5, "timeout"},       {6, "memory_limit"},    {7, "compiler_crash"},     {8, "not_pinned"},
      {9, "overloaded"},    {10, "internal"},       {11, "file_unavailable"}};
  for (std::uint16_t number = 0; number < 1000; ++number) {
    auto kind = failureKindFromNumber(number);
    REQUIRE(kind.has_value() == names.contains(number));
    if (!kind) continue;
    REQUIRE(static_cast<std::uint16_t>(*kind) == number);
    REQUIRE(name(*kind) == names.at(number));
  }
}

TEST_CASE("Only a compile error is the same every time") {
  for (std::uint16_t number = 1; number <= 11; ++number) {
    auto kind = *failureKindFromNumber(number);
    REQUIRE(isDeterministic(kind) == (kind == FailureKind::compileError));
  }
}

TEST_CASE("The table of failures in the documentation is the one in the code") {
  std::vector<std::string> expected;
  for (const auto& failure : kFailures) {
    expected.push_back("| `" + std::string(failure.name) + "` | " + std::string(failure.when) + " | " +
                       std::string(describe(failure.remembered)) + " ");
  }
  REQUIRE(documentedFailures() == expected);
}
