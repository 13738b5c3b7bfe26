// What is said where nothing compiles and bundles do not have what was asked for.
#pragma once

#include <optional>
#include <string>

#include "jit/failure.h"
#include "jit/hash.h"
#include "jit/request.h"
#include "jit/toolchain.h"

namespace kiln {

// Why nothing that bundles have brought is by a toolchain that `name` means, for the language if it is known;
// `bundled` are all that they were compiled by.
std::string whyNoneAnswers(const ToolchainList& bundled, std::optional<Language> language,
                           const std::string& name);

// On the locked lane: `why` compares with the nearest entry, if there is one.
Failure notPinned(const Request& request, const std::string& source, const std::string& domain,
                  const std::string& why, const std::optional<Hash128>& nearest);
// On an open one, where the node could not compile it either: `cannotCompile` says why.
Failure notBrought(const Failure& cannotCompile, const std::string& why,
                   const std::optional<Hash128>& nearest);

}  // namespace kiln
