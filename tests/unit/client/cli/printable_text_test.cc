#include "client/cli/printable_text.h"

#include <catch2/catch.hpp>

#include "client/cli/report.h"

using namespace kiln::cli;

TEST_CASE("A text on one line holds no control character, and is legible otherwise") {
  CHECK(onOneLine("k.cu: \xc3\xa4\xe6\x97\xa5") == "k.cu: \xc3\xa4\xe6\x97\xa5");
  CHECK(onOneLine("a\nb\tc\r\x1b[2Jd\x7f") == "a\\nb\\tc\\r\\x1b[2Jd\\x7f");
  CHECK(onOneLine("\xc2\x9b[2J") == "\\xc2\\x9b[2J");     // U+009B, which is ESC [
  CHECK(onOneLine("\xe2\x80\xae") == "\\xe2\\x80\\xae");  // U+202E, which turns around what follows
  CHECK(onOneLine("\x9b \xc3") == "\\x9b \\xc3");         // no UTF-8
  CHECK(onOneLine("\xc0\x8a \xed\xa0\x80") ==
        "\\xc0\\x8a \\xed\\xa0\\x80");  // an overlong newline, a surrogate
}

TEST_CASE("What a compiler wrote keeps its lines") {
  CHECK(onLines("k.cu(1): error\n\tat \x1b[1mx\x1b[m\n") == "k.cu(1): error\n\tat \\x1b[1mx\\x1b[m\n");
}

TEST_CASE("A text is cut between characters, and wide ones take two columns") {
  CHECK(cutTo("abc", 5) == "abc");
  CHECK(cutTo("abc", 2) == "ab");
  CHECK(cutTo("\xc3\xa4\xc3\xb6\xc3\xbc", 2) == "\xc3\xa4\xc3\xb6");
  CHECK(cutTo("\xe6\x97\xa5\xe6\x9c\xac", 3) == "\xe6\x97\xa5");
  CHECK(cutTo("abc", 0).empty());
}

TEST_CASE("No text forges a line of a report, and a log keeps its own") {
  Report report;
  report.add("source", std::string("k\nfailed  0"));
  report.add("targets", List{"sm_80\x1b[2J"});
  report.add("kernels", Report::Table{{"kernel"}, {{std::string("k\nother\x1b]0;title\x07")}}});
  report.add("log", Lines{"one\ntwo\x1b[m"});
  CHECK(printText(report) ==
        "source   k\\nfailed  0\n"
        "targets  sm_80\\x1b[2J\n"
        "\nkernels\nkernel\nk\\nother\\x1b]0;title\\x07\n"
        "\nlog\none\ntwo\\x1b[m\n");
}
