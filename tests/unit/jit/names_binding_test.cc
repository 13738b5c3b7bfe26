#include "jit/names_binding.h"

#include <catch2/catch.hpp>

#include "tests/support/samples.h"

using namespace kiln;

TEST_CASE("Every token that expands to a name binds names") {
  for (auto token : {"__FILE__", "__FILE_NAME__", "__BASE_FILE__", "__builtin_FILE()",
                     "std::source_location::current()", "std::experimental::source_location"}) {
    INFO(token);
    REQUIRE(textBindsNames("const auto x = " + std::string(token) + ";"));
  }
}

TEST_CASE("A half of such a token, which pasting may complete, binds names") {
  for (auto text :
       {"C(__FI,LE__)", "C(__FILE, __)", "C(__FILE_, _)", "C(_, _FILE__)", "NAME__", "source_ ## location",
        "source ## _location", "sour##ce_location", "__builtin_ ## FILE", "__builtin##_FILE"}) {
    INFO(text);
    REQUIRE(textBindsNames(text));
  }
  for (auto text : {"location", "FILE", "source", "__builtin_expect(x, 1)", "__builtin", "E__x", "TYPE__",
                    "my_location", "open_source_code", "x_FILE"}) {
    INFO(text);
    REQUIRE_FALSE(textBindsNames(text));
  }
}

TEST_CASE("assert, which a header of the compiler's own defines by __FILE__, binds names") {
  CHECK(textBindsNames("assert(x > 0);"));
  for (auto text : {"static_assert(true);", "_assert", "assertion", "CUB_ASSERT(x)"}) {
    INFO(text);
    CHECK_FALSE(textBindsNames(text));
  }
}

TEST_CASE("An include of an absolute path binds names") {
  for (auto text : {"#include \"/usr/include/x.h\"", "#include </usr/include/x.h>", "#  include\t</x.h>\n",
                    "int x;\n#include_next </x.h>", "#if __has_include(\"/x.h\")", "#import \"/x.h\"",
                    "#embed \"/x.bin\"", "#if __has_include_next( </x.h> )"}) {
    INFO(text);
    REQUIRE(textBindsNames(text));
  }
}

TEST_CASE("An include of a macro binds names") {
  for (auto text : {"#include HEADER", "#include\tHEADER\n", "#if __has_include(HEADER)\n",
                    "#include_next HEADER", "#define HAS(X) __has_include(X)", "#if __has_include ( HEADER )",
                    "#embed DATA", "#define HAS __has_include\n", "#include", "#if __has_embed(DATA)"}) {
    INFO(text);
    REQUIRE(textBindsNames(text));
  }
}

TEST_CASE("An include directive is seen in all its spellings") {
  for (auto text : {"%:include HEADER", "?\?=include HEADER", "#/* comment */include HEADER",
                    "# include HEADER", "#/**/ include HEADER", "#\\\ninclude HEADER",
                    "#\\\r\n  include HEADER", "# \\\n\tinclude HEADER", "#\\  \ninclude HEADER"}) {
    INFO(text);
    REQUIRE(textBindsNames(text));
  }
}

TEST_CASE("A line that is said to be another file's binds names") {
  for (auto text : {"#line 3 \"a.cu\"", "# 3 \"a.cu\"", "  #  line 12 \"a.cu\"\n", "int x;\n#3\"a.cu\"",
                    "#line 10 F\n", "#line F", "#line 10 /**/ \"a.cu\"", "# 10 F"}) {
    INFO(text);
    CHECK(textBindsNames(text));
  }
  for (auto text :
       {"#line 3\n", "#line 3 \r\n", "#lines", "#define LINE \"a\"", "a # 3", "#pragma nv_diag \"a\""}) {
    INFO(text);
    CHECK_FALSE(textBindsNames(text));
  }
}

TEST_CASE("A name that the compiler built the source's name into is found") {
  auto holds = [](const std::string& source, std::string_view text) {
    return holdsSourceName(text, {source, "/", {}});
  };
  CHECK(holds("/tmp/x/my-kernel.cu", "_ZN36_INTERNAL_00000000_12_my_kernel_cu_1074d175_5"));
  CHECK(holds("k.cu", ".func _ZN28_INTERNAL_00000000_4_k_cu_kk30_GLOBAL__N__00000000_4_k_cu_kk4anonEi"));
  CHECK_FALSE(holds("k.cu", ".entry k_cu(\n"));
  CHECK_FALSE(holds("k.cu", "_ZN28_INTERNAL_00000000_5_k2_cu_kk"));
  CHECK_FALSE(holds("k", ".visible .entry k("));
}

TEST_CASE("A text mentions the source by the last component of its name") {
  CHECK(mentionsSource("#include \"k.cu\"", {"/a/k.cu", "/", {}}));
  CHECK_FALSE(mentionsSource("/a/", {"/a/k.cu", "/", {}}));
  CHECK_FALSE(mentionsSource("anything", {"", "/", {}}));
}

TEST_CASE("A word that continues on the next line binds names") {
  for (auto text :
       {"#inc\\\nlude HEADER", "auto f = __FI\\\nLE__;", "auto f = __FI\\\r\nLE__;",
        "auto f = __FI\\ \nLE__;", "#def?\?/\nine X", "__F\\\n\\\nILE__", "#inc\\\r\n?\?/ \nlude M",
        "#include \"v\\\n\\\nenv/a.h\"", "#include \"\\\n/abs/a.h\"", "#include \"?\?/\n/abs/a.h\""}) {
    INFO(text);
    REQUIRE(textBindsNames(text));
  }
}

TEST_CASE("Plain text and plain includes do not bind names") {
  for (auto text : {"",
                    "__global__ void k() {}\n",
                    "#include \"v.h\"\n#include <cub/cub.cuh>\n",
                    "#include <v.h>",
                    "#include \"../v.h\"",
                    "#include \"./v.h\"",
                    "# include\t<v.h> // as usual\n",
                    "#include_next <v.h>",
                    "#ifdef __has_include\n#if __has_include(<v.h>)\n#endif\n#endif\n",
                    "#if defined(__has_include)\n",
                    "#if defined __has_include && __has_include(\"v.h\")\n",
                    "#ifndef __has_include\n",
                    "#import <v.h>",
                    "// files to include here\n",
                    "int include = 1;",
                    "int included; int x_include;\n",
                    "__LINE__ file FILE",
                    "#define M(x) do { \\\n  f(x); \\\n} while (0)\n",
                    "\"a\\nb\"",
                    "int x; \\\ny",
                    "\\"}) {
    INFO(text);
    REQUIRE_FALSE(textBindsNames(text));
  }
}

TEST_CASE("A request binds names through its source, its headers and options that name its directories") {
  auto request = test::sampleRequest();
  REQUIRE_FALSE(requestBindsNames(request));
  SECTION("the source") { request.source += "// __FILE__\n"; }
  SECTION("a header in memory") { request.headers[1].content = "#include </x.h>"; }
  SECTION("an option") { request.options.emplace_back("-DNAME=__FILE__"); }
  SECTION("a name expression") { request.nameExpressions.emplace_back("k<sizeof(__FILE__)>"); }
  SECTION("an option with an include directory") { request.options.emplace_back("-DROOT=\"/opt/include\""); }
  SECTION("an option with a relative include directory made absolute") {
    request.options.emplace_back("-include=/work/include/x.h");
  }
  SECTION("an option with the working directory") { request.options.emplace_back("-DROOT=/work"); }
  REQUIRE(requestBindsNames(request));
}

TEST_CASE("The root as a directory does not bind names through every option with a slash") {
  auto request = test::sampleRequest();
  request.names = {"k.cu", "/", {}};
  request.options = {"-DX=a/b"};
  REQUIRE_FALSE(requestBindsNames(request));
}

TEST_CASE("The digest of names changes with each of them and with their order") {
  const Names names{"k.cu", "/work", {"a", "b"}};
  auto digest = namesDigest(names);
  REQUIRE(namesDigest(names) == digest);
  REQUIRE(namesDigest({"l.cu", "/work", {"a", "b"}}) != digest);
  REQUIRE(namesDigest({"k.cu", "/home", {"a", "b"}}) != digest);
  REQUIRE(namesDigest({"k.cu", "/work", {"b", "a"}}) != digest);
  REQUIRE(namesDigest({"k.cu", "/work", {"ab"}}) != digest);
  REQUIRE(namesDigest({"k.cu/work", "", {"a", "b"}}) != digest);
}
