#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "client/client.h"

using kiln::client::OutputBytes;

namespace {

constexpr int kSeals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;

int memoryOf(const std::string& bytes, int seals) {
  int descriptor = ::memfd_create("bytes", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  REQUIRE(::write(descriptor, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  REQUIRE(::fcntl(descriptor, F_ADD_SEALS, seals) == 0);
  return descriptor;
}

std::string textOf(const OutputBytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

TEST_CASE("bytes of a string and of a sealed descriptor read the same") {
  CHECK(textOf(OutputBytes::fromString("cubin")) == "cubin");
  auto mapped = OutputBytes::fromDescriptor(memoryOf("cubin", kSeals), 5);
  REQUIRE(mapped);
  auto copy = *mapped;
  mapped.reset();
  CHECK(textOf(copy) == "cubin");
}

TEST_CASE("no bytes are no bytes") {
  CHECK(OutputBytes().size() == 0);
  auto mapped = OutputBytes::fromDescriptor(memoryOf("", kSeals), 0);
  REQUIRE(mapped);
  CHECK(mapped->size() == 0);
}

TEST_CASE("a descriptor that its sender could still change or cut is refused") {
  CHECK_FALSE(OutputBytes::fromDescriptor(memoryOf("cubin", F_SEAL_WRITE), 5));
  CHECK_FALSE(OutputBytes::fromDescriptor(memoryOf("cubin", F_SEAL_SHRINK), 5));
  CHECK_FALSE(OutputBytes::fromDescriptor(::open("/dev/null", O_RDONLY), 0));
}

TEST_CASE("a descriptor of another size than was told is refused") {
  CHECK_FALSE(OutputBytes::fromDescriptor(memoryOf("cubin", kSeals), 4));
  CHECK_FALSE(OutputBytes::fromDescriptor(memoryOf("cubin", kSeals), 6));
}

TEST_CASE("the descriptor is closed whether it could be mapped or not") {
  int good = memoryOf("cubin", kSeals);
  int bad = memoryOf("cubin", 0);
  (void)OutputBytes::fromDescriptor(good, 5);
  (void)OutputBytes::fromDescriptor(bad, 5);
  CHECK(::fcntl(good, F_GETFD) == -1);
  CHECK(::fcntl(bad, F_GETFD) == -1);
}
