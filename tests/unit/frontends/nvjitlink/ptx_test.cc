#include "frontends/nvjitlink/ptx.h"

#include <catch2/catch.hpp>

namespace kiln::nvjitlink {

TEST_CASE("a module's version and target are read behind comments") {
  auto directives = directivesOf(
      "//\n// .version 1.0\n/* .target sm_10 */\n\n.version 8.7 // new\n.target\tsm_90a, debug\n"
      ".address_size 64\n.target sm_20\n");
  CHECK(directives.version == "8.7");
  CHECK(directives.target == "sm_90a");
}

TEST_CASE("a text without the directives has neither") {
  for (const char* text : {"", "hello", "/* never closed", ".version", "// .target sm_90"}) {
    auto directives = directivesOf(text);
    CHECK(directives.version.empty());
    CHECK(directives.target.empty());
  }
}

TEST_CASE("code may be made for the architectures that the module's runs on") {
  CHECK(mayRunOn("sm_80", "sm_80"));
  CHECK(mayRunOn("sm_80", "sm_90a"));
  CHECK(mayRunOn("sm_80", "sm_120"));
  CHECK_FALSE(mayRunOn("sm_90", "sm_80"));
  CHECK(mayRunOn("sm_90a", "sm_90a"));
  CHECK_FALSE(mayRunOn("sm_90a", "sm_90"));
  CHECK_FALSE(mayRunOn("sm_90a", "sm_100"));
  CHECK(mayRunOn("sm_100f", "sm_103"));
  CHECK(mayRunOn("sm_100f", "sm_100f"));
  CHECK_FALSE(mayRunOn("sm_100f", "sm_120"));
  CHECK_FALSE(mayRunOn("sm_103f", "sm_100"));
}

TEST_CASE("of several targets the last architecture counts, as for ptxas") {
  CHECK(directivesOf(".version 8.7\n.target sm_90a , sm_80, debug\n").target == "sm_80");
  CHECK(directivesOf(".target sm_80 .version 8.7").version == "8.7");
  CHECK(directivesOf(".target texmode_independent, sm_75\n").target == "sm_75");
}

TEST_CASE("an architecture that was renamed is left to the compiler") {
  CHECK(mayRunOn("sm_101a", "sm_110a"));
  CHECK(mayRunOn("sm_101f", "sm_110"));
}

TEST_CASE("what is not known is left to the compiler") {
  for (const char* target : {"", "sm_", "compute_90", "sm_90x", "sm_90ab", "map_f64_to_f32"}) {
    CHECK(mayRunOn(target, "sm_75"));
  }
}

}  // namespace kiln::nvjitlink
