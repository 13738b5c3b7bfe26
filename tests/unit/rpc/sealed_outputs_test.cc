#include "rpc/sealed_outputs.h"

#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "jit/sha256.h"

namespace kiln {
namespace {

Output outputOf(const std::string& bytes) { return {OutputKind::cubin, bytes, sha256(bytes)}; }

std::string contentOf(const SealedOutputs::Descriptor& descriptor) {
  std::string content(100, '\0');
  auto size = pread(descriptor->get(), content.data(), content.size(), 0);
  content.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return content;
}

}  // namespace

TEST_CASE("A sealed output holds the bytes, and nobody can change them") {
  SealedOutputs sealed;
  auto descriptor = sealed.of(outputOf("cubin"));
  REQUIRE(descriptor != nullptr);
  CHECK(contentOf(descriptor) == "cubin");
  CHECK(pwrite(descriptor->get(), "x", 1, 0) < 0);
  CHECK(ftruncate(descriptor->get(), 0) < 0);
}

TEST_CASE("The next asker of the same bytes gets the same memory") {
  SealedOutputs sealed;
  auto first = sealed.of(outputOf("a"));
  CHECK(sealed.of(outputOf("a")) == first);
  CHECK(sealed.of(outputOf("b")) != first);
}

TEST_CASE("What is kept is bounded in bytes and in number, the least recently used out first") {
  SealedOutputs few(1000, 2);
  auto a = few.of(outputOf("a"));
  auto b = few.of(outputOf("b"));
  few.of(outputOf("a"));
  few.of(outputOf("c"));
  CHECK(few.of(outputOf("a")) == a);
  CHECK(few.of(outputOf("b")) != b);
  CHECK(contentOf(b) == "b");

  SealedOutputs small(10, 100);
  auto large = small.of(outputOf(std::string(11, 'x')));
  CHECK(contentOf(large).size() == 11);
  CHECK(small.of(outputOf(std::string(11, 'x'))) != large);
}

TEST_CASE("An output without a digest is sealed and not kept") {
  SealedOutputs sealed;
  Output output{OutputKind::cubin, "a", {}};
  auto first = sealed.of(output);
  output.bytes = "b";
  CHECK(contentOf(sealed.of(output)) == "b");
  CHECK(contentOf(first) == "a");
}

}  // namespace kiln
