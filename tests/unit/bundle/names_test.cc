#include <catch2/catch.hpp>

#include "bundle/kernel_name.h"
#include "bundle/utf8.h"

using namespace kiln::bundle;

TEST_CASE("A kernel is called as people call it") {
  CHECK(readableName("_Z5scaleIfEvPT_S0_") == "scale<float>");
  CHECK(readableName("_Z5scalePf") == "scale");
  CHECK(readableName("_ZN2ns5scaleEPf") == "ns::scale");
  CHECK(readableName("_ZN12_GLOBAL__N_15scaleEPf") == "(anonymous namespace)::scale");
  CHECK(readableName("_ZN12_GLOBAL__N_15scaleINS_1AEEEvPf") ==
        "(anonymous namespace)::scale<(anonymous namespace)::A>");
  CHECK(readableName("_Z6reduceIL2Op1EEvPf") == "reduce<(Op)1>");
  CHECK(readableName("_Z6reduceILb1EEvPf") == "reduce<true>");
  CHECK(readableName("_Z5applyIPFvfEEvT_") == "apply<void (*)(float)>");
  CHECK(readableName("_Z5applyIZ4mainEUlfE_EvT_") == "apply<main::{lambda(float)#1}>");
}

TEST_CASE("A name that is not mangled stays as it is") {
  for (const auto* name : {"h", "i", "f", "Pf", "scale", "", "_Z", "_Zx"}) CHECK(readableName(name) == name);
}

TEST_CASE("UTF-8 is what the standard says") {
  for (const auto* text :
       {"", "plain", "\xc3\xa9", "\xe2\x82\xac", "\xed\x9f\xbf", "\xf0\x9f\x94\xa5", "\xf4\x8f\xbf\xbf"})
    CHECK(isUtf8(text));
  // Bytes behind nothing, cut short, overlong, surrogates, above U+10FFFF.
  for (const auto* text :
       {"\x80", "\xff", "\xc3", "\xe2\x82", "\xf0\x9f\x94", "\xc0\xaf", "\xe0\x80\xaf", "\xe0\x9f\xbf",
        "\xf0\x80\x80\xaf", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80"}) {
    CHECK_FALSE(isUtf8(text));
    CHECK(isUtf8(escapedToUtf8(text)));
  }
  CHECK(escapedToUtf8("a\xff\xc3\xa9\xed\xa0\x80") == "a\\xff\xc3\xa9\\xed\\xa0\\x80");
}
