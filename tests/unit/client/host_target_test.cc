#include "client/host_target.h"

#include <catch2/catch.hpp>

#include <map>
#include <utility>

namespace kiln::client {
namespace {

// A processor that says what is written here, and zeros elsewhere.
class StandInCpuid {
 public:
  StandInCpuid(const char* vendor, std::uint32_t signature) {
    auto word = [&](std::size_t at) {
      std::uint32_t value = 0;
      for (std::size_t i = 0; i < 4; ++i) value |= static_cast<std::uint32_t>(vendor[at + i]) << 8 * i;
      return value;
    };
    leaves_[{0, 0}] = {7, word(0), word(8), word(4)};
    leaves_[{1, 0}] = {signature, 0, 0, 0};
  }

  StandInCpuid& set(std::uint32_t leaf, std::size_t place, std::uint32_t bits) {
    leaves_[{leaf, 0}][place] |= bits;
    return *this;
  }

  [[nodiscard]] std::string name(std::uint64_t enabledStates) const {
    Cpuid cpuid;
    cpuid.ask = [this](std::uint32_t leaf, std::uint32_t subleaf) {
      const auto found = leaves_.find({leaf, subleaf});
      return found == leaves_.end() ? Cpuid::Registers{} : found->second;
    };
    cpuid.enabledStates = enabledStates;
    return hostTargetName(cpuid);
  }

 private:
  std::map<std::pair<std::uint32_t, std::uint32_t>, Cpuid::Registers> leaves_;
};

constexpr std::uint64_t kAvx = 0x6, kAvx512 = 0xe6;
constexpr std::uint32_t kExtended = 0x80000001;
constexpr std::uint32_t kZen3 = 0x00a00f11, kZen4 = 0x00a10f11;

constexpr std::uint32_t bits(std::initializer_list<unsigned> numbers) {
  std::uint32_t value = 0;
  for (auto number : numbers) value |= 1U << number;
  return value;
}

// All that x86-64-v3 asks for.
StandInCpuid v3(std::uint32_t signature) {
  return StandInCpuid("AuthenticAMD", signature)
      .set(1, 2, bits({0, 9, 12, 13, 19, 20, 22, 23, 28, 29}))
      .set(7, 1, bits({3, 5, 8}))
      .set(kExtended, 2, bits({0, 5}));
}

bool has(const std::string& name, const std::string& part) {
  return (name + ":").find(":" + part + ":") != std::string::npos;
}

}  // namespace

TEST_CASE(
    "A processor that LLVM knows is called by its name, with the features beyond its level spelled out") {
  const auto name = v3(kZen3).set(7, 1, bits({29})).name(kAvx);
  CHECK(name.starts_with("znver3:"));
  CHECK(has(name, "sha+"));
  CHECK(has(name, "avx512f-"));
  CHECK_FALSE(has(name, "avx2+"));
}

TEST_CASE("A machine that hides what its processor has is called by the level that it keeps") {
  CHECK(v3(kZen4).name(kAvx).starts_with("x86-64-v3:"));
  auto zen4 = v3(kZen4).set(7, 1, bits({16, 17, 28, 30, 31}));
  CHECK(zen4.name(kAvx512).starts_with("znver4:"));
  // The system does not save the registers.
  const auto hidden = zen4.name(kAvx);
  CHECK(hidden.starts_with("x86-64-v3:"));
  CHECK(has(hidden, "avx512f-"));
  CHECK(v3(kZen4).name(0).starts_with("x86-64-v2:"));
}

TEST_CASE("A processor of another vendor, or none that is known, is called by its level") {
  CHECK(StandInCpuid("GenuineIntel", 0x000806f8).name(kAvx512).starts_with("x86-64:"));
  CHECK(StandInCpuid("HygonGenuine", kZen3).name(kAvx512).starts_with("x86-64:"));
}

TEST_CASE("Machines that differ in a feature have different names") {
  CHECK(v3(kZen3).name(kAvx) != v3(kZen3).set(7, 1, bits({19})).name(kAvx));
}

TEST_CASE("The own processor is a target as it is spelled, and host is it") {
  const auto target = parseOwnTarget("host");
  REQUIRE(target);
  CHECK(*target == hostTarget());
  CHECK(target->kind == Target::Kind::host);
  CHECK(*parseTarget(target->name) == *target);
  CHECK_FALSE(parseTarget("host"));
  CHECK(parseOwnTarget("sm_90")->kind == Target::Kind::nvidiaReal);
}

}  // namespace kiln::client
