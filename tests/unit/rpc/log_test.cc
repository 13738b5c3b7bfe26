#include "rpc/log.h"

#include <catch2/catch.hpp>

using namespace kiln;

TEST_CASE("what a client calls something stays one line of the log") {
  CHECK(quotedForLog("k.cu") == "'k.cu'");
  CHECK(quotedForLog("a\nb\x1b[2J\x7f") == "'a\\x0ab\\x1b[2J\\x7f'");
  CHECK(quotedForLog("\xc3\xa4.cu") == "'\xc3\xa4.cu'");
}

TEST_CASE("a long name is cut in the log") {
  CHECK(quotedForLog(std::string(400, 'a')) == "'" + std::string(400, 'a') + "'");
  CHECK(quotedForLog(std::string(401, 'a')) == "'" + std::string(400, 'a') + "...'");
}
