#include "rpc/toolchain_survey.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "frontends/pool/describe.h"

namespace kiln {
namespace {

// Describing takes a processor, and the memory of a compiler.
void describeAll(std::vector<Toolchain>& toolchains, const std::filesystem::path& compilerProgram) {
  std::atomic<std::size_t> next = 0;
  auto count = std::min<std::size_t>(toolchains.size(), std::max(1U, std::thread::hardware_concurrency()));
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < count; ++i) {
    threads.emplace_back([&] {
      for (auto index = next++; index < toolchains.size(); index = next++) {
        describe(toolchains[index], compilerProgram);
      }
    });
  }
}

void logToolchain(const Toolchain& toolchain, Log& log) {
  if (toolchain.problem.empty()) {
    log.info("toolchain " + toolchain.name + ": " + toolchain.library + ", identity " +
             toolchain.identity.hex().substr(0, 16));
  } else {
    log.warning("toolchain " + toolchain.name + " cannot be used: " + toolchain.problem);
  }
}

}  // namespace

std::vector<Toolchain> surveyToolchains(const ToolchainSearch& search,
                                        const std::filesystem::path& compilerProgram, Log& log) {
  auto toolchains = findToolchains(search);
  describeAll(toolchains, compilerProgram);
  for (const auto& toolchain : toolchains) logToolchain(toolchain, log);
  if (std::ranges::none_of(toolchains, [](const auto& toolchain) { return toolchain.problem.empty(); })) {
    log.warning(
        "no toolchain can be used: kilnd serves what is stored and compiles nothing; install the CUDA "
        "toolkit, or name "
        "a libnvrtc in `toolchains.paths`, and start kilnd again");
  }
  return toolchains;
}

}  // namespace kiln
