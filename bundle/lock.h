// A lock: what an application asks kiln to compile, to be built anywhere.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "jit/dependencies.h"
#include "jit/request.h"

namespace kiln::bundle {

// A text that a request holds, and what the request calls it.
struct LockedText {
  std::string name;
  Sha256 sha256;

  bool operator==(const LockedText&) const = default;
  auto operator<=>(const LockedText&) const = default;
};

// Requests that differ by their targets alone. Texts are named by their digests; a BlobFolder has them.
struct LockedKernel {
  std::string name;  // for people: "saxpy.cu: saxpy"
  Language language = Language::cuda;
  std::vector<std::string> targets;     // with which it was asked for; sorted
  std::vector<std::string> failsFor;    // those of them for which it does not compile; sorted
  std::vector<std::string> toolchains;  // by which it was served; sorted
  std::string toolchain;                // as the application asks for it; empty: the newest
  // Names.inputs are those of `inputs`, in order; one with a random name is called by its place. A source
  // with a random name (jit/stand_in_source.h) is called kNameless, and there is a temporary directory for it
  // alone: kTemporaryDirectory.
  Names names;
  Sha256 source;
  std::vector<LockedText> headers;  // sorted
  std::vector<LockedText> inputs;   // in order
  std::vector<std::string> options;
  std::vector<std::string> nameExpressions;  // sorted
  std::vector<OutputKind> outputs;           // sorted; empty: each target's usual one
  std::string virtualArchitecture;           // empty: none
  std::uint64_t timestamp = 0;
  // Of all its targets; without XXH3.
  DependencySet files;

  bool operator==(const LockedKernel&) const = default;
};

inline constexpr std::string_view kTemporaryDirectory = "/kiln-temporary";
inline constexpr std::string_view kNameless = "/kiln-temporary/source";

// A request that could not be written down whole.
struct Uncaptured {
  std::string name;
  std::string reason;

  bool operator==(const Uncaptured&) const = default;
  auto operator<=>(const Uncaptured&) const = default;
};

struct Lock {
  std::vector<LockedKernel> kernels;   // in order of name, then of identityOf()
  std::vector<Uncaptured> uncaptured;  // sorted, without duplicates

  bool operator==(const Lock&) const = default;
};

// What makes two kernels one: all but name, targets, toolchains that served it, files, and what inputs are
// called.
Sha256 identityOf(const LockedKernel& kernel);

// The kernels of all, those that are one as one. Whatever the order of the locks, the result is the same.
// What two recordings of one kernel tell otherwise of a file is settled one way and named as uncaptured.
Lock merged(std::vector<Lock> locks);

// The contents that it names.
std::set<Sha256> contentsOf(const Lock& lock);

// Which kind of targets a kernel is for, by the first of those that it was asked for with.
enum class Vendor : std::uint8_t { nvidia, amd, host };
Vendor vendorOf(const Target& target);
std::string_view name(Vendor vendor);  // "NVIDIA", "AMD", "the host"
// The vendors whose targets it can be built for: those with which it was asked for.
std::vector<Vendor> vendorsOf(const LockedKernel& kernel);

}  // namespace kiln::bundle
