#include "jit/request.h"

#include <catch2/catch.hpp>

using namespace kiln;

TEST_CASE("Languages and output kinds have the names and numbers they always had") {
  REQUIRE(languageFromNumber(1) == Language::cuda);
  REQUIRE(parseLanguage("cuda") == Language::cuda);
  REQUIRE(name(Language::cuda) == "cuda");
  const std::pair<OutputKind, std::string_view> kinds[] = {
      {OutputKind::cubin, "cubin"}, {OutputKind::ptx, "ptx"}, {OutputKind::ltoir, "ltoir"}};
  std::uint16_t number = 1;
  for (const auto& [kind, text] : kinds) {
    REQUIRE(outputKindFromNumber(number++) == kind);
    REQUIRE(name(kind) == text);
    REQUIRE(parseOutputKind(text) == kind);
  }
}

TEST_CASE("Unknown languages and output kinds are nothing") {
  REQUIRE_FALSE(languageFromNumber(0));
  REQUIRE_FALSE(languageFromNumber(2));
  REQUIRE_FALSE(parseLanguage("CUDA"));
  REQUIRE_FALSE(outputKindFromNumber(0));
  REQUIRE_FALSE(outputKindFromNumber(4));
  REQUIRE_FALSE(parseOutputKind("fatbin"));
  REQUIRE_FALSE(parseOutputKind(""));
}
