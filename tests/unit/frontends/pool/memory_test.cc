#include "frontends/pool/memory.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>

#include "frontends/pool/amounts.h"

using namespace kiln;

TEST_CASE("The memory that a process fills is counted") {
  auto before = privateMemory(getpid());
  std::string filled(64 << 20, 'x');
  CHECK(privateMemory(getpid()) >= before + filled.size() / 2);
}

TEST_CASE("Amounts are told as people read them") {
  CHECK(describeBytes(4ull << 30) == "4 GiB");
  CHECK(describeBytes(3ull << 29) == "1.5 GiB");
  CHECK(describeBytes(300ull << 20) == "300 MiB");
  CHECK(describeDuration(std::chrono::milliseconds(250)) == "250 ms");
  CHECK(describeDuration(std::chrono::milliseconds(1500)) == "1.5 s");
  CHECK(describeDuration(std::chrono::minutes(2)) == "120 s");
}
