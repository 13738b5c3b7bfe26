#include "frontends/hiprtc/log.h"

#include <catch2/catch.hpp>

using namespace kiln::hiprtc;

TEST_CASE("What comgr wrote into its directory is called as the asker calls it") {
  CHECK(withOwnNames("In file included from /tmp/comgr-1a2b3c/input/CompileSource:1:\n"
                     "/tmp/comgr-1a2b3c/include/sub/x.h:2:2: warning: hello\n",
                     "src/k.hip") == "In file included from src/k.hip:1:\nsub/x.h:2:2: warning: hello\n");
  CHECK(withOwnNames("/tmp/comgr-1a2b3c/output/a.so: no space\n/tmp/comgr-mine/include/x.h /tmp/comgr-",
                     "k.hip") ==
        "/tmp/comgr-1a2b3c/output/a.so: no space\n/tmp/comgr-mine/include/x.h /tmp/comgr-");
  CHECK(withOwnNames("", "k.hip").empty());
}

TEST_CASE("Errors of options are told from errors of the source") {
  CHECK(saysBadOption("k.hip:2:9: warning: x\nerror: unsupported option '--bogus'\n1 error generated.\n"));
  CHECK(saysBadOption("error: invalid value 'c++99' in '-std=c++99'\n"));
  CHECK(saysBadOption("error: no input files\n"));
  CHECK_FALSE(saysBadOption("k.hip:1:1: error: unknown type name 'x'\n1 error generated.\n"));
  CHECK_FALSE(saysBadOption("k.hip:1:1: error: invalid operands\n"));
}
