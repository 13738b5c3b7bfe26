// The processor of this machine as a target: what "host" stands for.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "jit/failure.h"
#include "jit/target.h"

namespace kiln::client {

// What the processor tells of itself.
struct Cpuid {
  using Registers = std::array<std::uint32_t, 4>;  // EAX, EBX, ECX, EDX
  // Zeros for a leaf that there is none of.
  std::function<Registers(std::uint32_t leaf, std::uint32_t subleaf)> ask;
  std::uint64_t enabledStates = 0;  // XCR0: the registers that the system saves
};

// The name of a processor as LLVM has it, and behind it whether each feature that computations use is there:
// "znver4:adx+:aes+:avx512fp16-". Those of its level (x86-64-v4) are not spelled out: a machine that hides
// one of these is called by the level that it has. So what is computed for one target runs on every machine
// that is called so. Instructions for operating systems, which nobody computes with, are not looked at.
std::string hostTargetName(const Cpuid& cpuid);

// That of this machine; asked for once. Thread-safe.
const Target& hostTarget();

// The highest level of x86-64 processors that this machine has all of: "x86-64-v3". Of two names the greater
// is the higher level.
const std::string& hostLevel();

// As parseTarget(), and "host" is hostTarget().
std::expected<Target, Failure> parseOwnTarget(std::string_view text);
// Several; the failure is that of the first that is none.
std::expected<std::vector<Target>, Failure> parseOwnTargets(const std::vector<std::string>& texts);

}  // namespace kiln::client
