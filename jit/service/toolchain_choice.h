// Which toolchain a request gets, and what to say if there is none.
#pragma once

#include <kj/async.h>

#include <expected>
#include <memory>
#include <string>

#include "jit/failure.h"
#include "jit/service/toolchains.h"
#include "jit/stages.h"

namespace kiln {

// Failure: toolchainUnavailable, naming those there are.
template <typename Chosen>
using ToolchainChoice = std::expected<Chosen, Failure>;

// As chooseToolchain(). What is chosen is as it was found, at some time after the call: if its files have
// changed, or if there is no choice, a scan comes first. Where only others changed, they are scanned behind
// the caller's back.
kj::Promise<ToolchainChoice<std::shared_ptr<const Toolchain>>> toolchainFor(Toolchains& toolchains,
                                                                            Language language,
                                                                            std::string name);

// For two stages (jit/stages.h): as toolchainFor() for the first, and for the last what takes the first one's
// output (chooseNextToolchain).
struct StageToolchains {
  std::shared_ptr<const Toolchain> first, last;
};
kj::Promise<ToolchainChoice<StageToolchains>> toolchainsForStages(Toolchains& toolchains, std::string name,
                                                                  const Stages& stages);
// The last of the two once `first` has done its part. Failure also: unsupportedTarget.
ToolchainChoice<std::shared_ptr<const Toolchain>> lastToolchain(const ToolchainList& toolchains,
                                                                const Toolchain& first, const Stages& stages);

// For a request of unknown language: the choice for every language there is; never empty.
kj::Promise<ToolchainChoice<ToolchainList>> toolchainsForAnyLanguage(Toolchains& toolchains,
                                                                     std::string name);

}  // namespace kiln
