#include "jit/request.h"

#include <catch2/catch.hpp>

using namespace kiln;

TEST_CASE("Languages and output kinds have the names and numbers they always had") {
  const std::pair<Language, std::string_view> languages[] = {
      {Language::cuda, "cuda"}, {Language::hip, "hip"}, {Language::ptx, "ptx"}};
  std::uint16_t language = 1;
  for (const auto& [value, text] : languages) {
    REQUIRE(languageFromNumber(language++) == value);
    REQUIRE(name(value) == text);
    REQUIRE(parseLanguage(text) == value);
  }
  const std::pair<OutputKind, std::string_view> kinds[] = {
      {OutputKind::cubin, "cubin"},     {OutputKind::ptx, "ptx"},
      {OutputKind::ltoir, "ltoir"},     {OutputKind::hsaco, "hsaco"},
      {OutputKind::bitcode, "bitcode"}, {OutputKind::sharedObject, "shared-object"}};
  std::uint16_t number = 1;
  for (const auto& [kind, text] : kinds) {
    REQUIRE(outputKindFromNumber(number++) == kind);
    REQUIRE(name(kind) == text);
    REQUIRE(parseOutputKind(text) == kind);
  }
}

TEST_CASE("Unknown languages and output kinds are nothing") {
  REQUIRE_FALSE(languageFromNumber(0));
  REQUIRE_FALSE(languageFromNumber(6));
  REQUIRE_FALSE(parseLanguage("CUDA"));
  REQUIRE_FALSE(outputKindFromNumber(0));
  REQUIRE_FALSE(outputKindFromNumber(7));
  REQUIRE_FALSE(parseOutputKind("fatbin"));
  REQUIRE_FALSE(parseOutputKind(""));
}
