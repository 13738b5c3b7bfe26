#include "jit/failure.h"

#include <catch2/catch.hpp>

#include <map>

using namespace kiln;

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
