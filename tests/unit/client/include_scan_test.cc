#include "client/include_scan.h"

#include <catch2/catch.hpp>

using kiln::client::Inclusion;
using kiln::client::inclusionsIn;
using Inclusions = std::vector<Inclusion>;

TEST_CASE("names are found in order, in both kinds of delimiters") {
  CHECK(inclusionsIn("#include <a/b.h>\nint x;\n  #  include \t\"c.h\"  // why\n#include<d>") ==
        Inclusions{{"a/b.h", false}, {"c.h", true}, {"d", false}});
  CHECK(inclusionsIn("#include_next <a.h>\r\n#include \"b c.h\"\r\n") == Inclusions{{"b c.h", true}});
}

TEST_CASE("conditionals are not understood") {
  CHECK(inclusionsIn("#if 0\n# include \"a.h\"\n#endif\n/*\n#include <b.h>\n*/") ==
        Inclusions{{"a.h", true}, {"b.h", false}});
}

TEST_CASE("what is no directive with a name gives none") {
  for (const char* text : {"", "#", "#include", "#include ", "#include <", "#include <a.h",
                           "#include <a.h\n>", "#include \"\"", "#include <>", "#include MACRO",
                           "x #include <a.h>", "// #include <a.h>", "#define include <a.h>", "#includes"}) {
    INFO(text);
    CHECK(inclusionsIn(text).empty());
  }
}

TEST_CASE("a NUL byte is a byte like others") {
  CHECK(inclusionsIn({"\0\n#include <a\0b>", 16}) == Inclusions{{std::string("a\0b", 3), false}});
}
