#include "jit/resource_usage.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <string>

#include "jit/words.h"

using namespace kiln;

TEST_CASE("Resources have the names and numbers they always had") {
  const std::string_view names[] = {"registers",
                                    "scalar_registers",
                                    "accumulation_registers",
                                    "spilled_registers",
                                    "spilled_scalar_registers",
                                    "spill_instructions",
                                    "shared_bytes",
                                    "local_bytes",
                                    "stack_bytes",
                                    "constant_bytes",
                                    "max_threads",
                                    "wavefront_size",
                                    "dynamic_stack"};
  std::uint16_t number = 1;
  for (auto text : names) {
    auto resource = resourceFromNumber(number++);
    REQUIRE(resource);
    CHECK(name(*resource) == text);
  }
  CHECK(resourceFromNumber(13) == Resource::dynamicStack);
}

TEST_CASE("A number without a resource is nothing") {
  CHECK_FALSE(resourceFromNumber(0));
  CHECK_FALSE(resourceFromNumber(14));
}

TEST_CASE("The manual has an item for each resource") {
  std::ifstream manual(KILN_SOURCE_DIR "/docs/man/kiln.1");
  std::string line, items;
  while (std::getline(manual, line) && line != ".SH RESOURCES") continue;
  while (std::getline(manual, line) && !line.starts_with(".SH")) {
    if (line.starts_with(".B")) items += line + '\n';
  }
  for (const auto& [resource, text] : kResources) {
    INFO(text);
    CHECK(holdsWord(items, text));
  }
}
