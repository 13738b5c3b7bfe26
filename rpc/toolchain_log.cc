#include "rpc/toolchain_log.h"

#include <algorithm>
#include <string>

namespace kiln {
namespace {

// The one at the same place.
const Toolchain* counterpart(const ToolchainList& list, const Toolchain& toolchain) {
  auto found = std::ranges::find_if(list, [&](const auto& one) {
    return one->frontend == toolchain.frontend && one->library == toolchain.library;
  });
  return found == list.end() ? nullptr : found->get();
}

bool isUsable(const ToolchainList& list) {
  return std::ranges::any_of(list, [](const auto& toolchain) { return toolchain->problem.empty(); });
}

void logOne(const Toolchain& toolchain, const Toolchain* before, Log& log) {
  // A touched file is no change.
  if (before != nullptr && before->identity == toolchain.identity && before->problem == toolchain.problem)
    return;
  std::string line = "toolchain " + toolchain.name;
  if (before != nullptr) line += " replaces " + before->name;
  if (!toolchain.problem.empty()) {
    log.warning(line + (before == nullptr ? " cannot be used: " : " and cannot be used: ") +
                onOneLine(toolchain.problem));
  } else {
    log.info(line + ": " + toolchain.library + ", identity " + toolchain.identity.hex().substr(0, 16));
  }
}

}  // namespace

void logToolchains(const ToolchainList& before, const ToolchainList& after, Log& log) {
  for (const auto& toolchain : before) {
    if (counterpart(after, *toolchain) == nullptr) {
      log.info("toolchain " + toolchain->name + " is gone: " + toolchain->library);
    }
  }
  for (const auto& toolchain : after) logOne(*toolchain, counterpart(before, *toolchain), log);
  if (!isUsable(after) && (before.empty() || isUsable(before))) {
    log.warning(
        "no toolchain can be used: kilnd compiles nothing until there is one, and serves what kiln warm has "
        "brought; "
        "install the CUDA toolkit and run "
        "`kiln toolchains --rescan`, or name a libnvrtc in `toolchains.paths` and start kilnd again");
  }
}

}  // namespace kiln
