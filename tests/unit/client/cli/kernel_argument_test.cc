#include "client/cli/kernel_argument.h"

#include <catch2/catch.hpp>

using namespace kiln::cli;

TEST_CASE("values and buffers are read as they are written") {
  for (auto text : {"f32=2.5", "f64=-1e+30", "i8=-128", "i8=255", "i64=-9223372036854775808", "i32=7",
                    "f32[1]", "f32[32x64]", "i16[3x1x2]"}) {
    auto argument = parseKernelArgument(text);
    INFO(text);
    REQUIRE(argument);
    CHECK(describe(*argument) == text);
  }
  CHECK(parseKernelArgument("f32[32x64]")->elements() == 2048);
  CHECK_FALSE(parseKernelArgument("i32=7")->isBuffer());
}

TEST_CASE("what is no argument is named with what is wrong with it") {
  for (auto text : {"",
                    "f32",
                    "f32=",
                    "f32=x",
                    "f32=1.5x",
                    "i32=1.5",
                    "i8=256",
                    "i8=-129",
                    "f16=1",
                    "f32[",
                    "f32[]",
                    "f32[0]",
                    "f32[4",
                    "f32[4]]",
                    "f32[4x]",
                    "f32[-1]",
                    "f64[1000000x1000000]",
                    "f64[18446744073709551615]",
                    "1024",
                    "f32[ 4]"}) {
    auto argument = parseKernelArgument(text);
    INFO(text);
    REQUIRE_FALSE(argument);
    CHECK(argument.error().starts_with("'" + std::string(text) + "'"));
  }
}
