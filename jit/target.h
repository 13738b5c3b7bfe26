// A target: the architecture a request is compiled for.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "jit/failure.h"

namespace kiln {

struct Target {
  // What kind of architecture it is; says which outputs exist. Values are stored; they never change.
  enum class Kind : std::uint8_t {
    nvidiaReal = 1,     // sm_NN, sm_NNa, sm_NNf: machine code
    nvidiaVirtual = 2,  // compute_NN and its a and f forms: PTX
    amd = 3,            // gfxNNN, with features behind it (":sramecc+:xnack-"): machine code
    host = 4,           // an x86-64 processor as LLVM calls it, "x86-64-v3", with features: machine code
  };

  Kind kind = Kind::nvidiaReal;
  std::string name;  // canonical, as the compiler spells it: "sm_90a"

  bool operator==(const Target&) const = default;
};

// What the client's own processor is asked for by. No target itself: another machine's processor is another
// (client/host_target.h).
inline constexpr std::string_view kHost = "host";

// Accepts the spellings listed at Target::Kind, and features in any order: the name has them in alphabetical
// order, as LLVM's canonical target identifiers do. Whether a toolchain knows the architecture is its own
// question. Failure: unsupportedTarget.
std::expected<Target, Failure> parseTarget(std::string_view text);

// A name without its features, and these: "gfx90a" and "sramecc+", "xnack-".
struct TargetParts {
  std::string_view processor;
  std::vector<std::string_view> features;
};
TargetParts partsOf(const Target& target);

// For a person: the name, but of a processor with more than a few features their number alone.
std::string shortName(const Target& target);

// Failure: unsupportedTarget, if `target` is none of `targets`; the message names `compiler` and lists them.
// A host's features are not looked at: their combinations cannot be listed.
std::expected<void, Failure> checkTarget(const Target& target, const std::vector<std::string>& targets,
                                         std::string_view compiler);

}  // namespace kiln
