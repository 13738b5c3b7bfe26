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
  };

  Kind kind = Kind::nvidiaReal;
  std::string name;  // canonical, as the compiler spells it: "sm_90a"

  bool operator==(const Target&) const = default;
};

// Accepts the spellings listed at Target::Kind, and AMD's features in any order: the name has them in
// alphabetical order, as LLVM's canonical target identifiers do. Whether a toolchain knows the architecture
// is its own question. Failure: unsupportedTarget.
std::expected<Target, Failure> parseTarget(std::string_view text);

// Failure: unsupportedTarget, if `target` is none of `targets`; the message names `compiler` and lists them.
std::expected<void, Failure> checkTarget(const Target& target, const std::vector<std::string>& targets,
                                         std::string_view compiler);

}  // namespace kiln
