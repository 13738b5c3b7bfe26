#include "rpc/toolchain_survey.h"

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>
#include <utility>

#include "frontends/pool/describe.h"

namespace kiln {
namespace {

// How often what changes while it is looked at is looked at again.
constexpr int kRounds = 3;

// Describing takes a processor, and the memory of a compiler.
void describeAll(const std::vector<Toolchain*>& toolchains, const std::filesystem::path& compilerProgram) {
  std::atomic<std::size_t> next = 0;
  auto count = std::min<std::size_t>(toolchains.size(), std::max(1U, std::thread::hardware_concurrency()));
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < count; ++i) {
    threads.emplace_back([&] {
      for (auto index = next++; index < toolchains.size(); index = next++) {
        kiln::describe(*toolchains[index], compilerProgram);
      }
    });
  }
}

// What a toolchain is called whose version nobody knows.
std::string placeName(const Toolchain& toolchain) { return toolchain.frontend + " " + toolchain.library; }

// Takes the first of each identity out of `left`, and all that have none.
std::vector<Toolchain> takeFirstCopies(std::vector<Toolchain>& left) {
  std::vector<Toolchain> taken, others;
  std::set<Sha256> identities;
  for (auto& toolchain : left) {
    const bool isFirst = toolchain.identity.isZero() || identities.insert(toolchain.identity).second;
    (isFirst ? taken : others).push_back(std::move(toolchain));
  }
  left = std::move(others);
  return taken;
}

bool isUnsettled(const Toolchain& toolchain) {
  return !toolchain.identity.isZero() && !holds(toolchain.footprint);
}

}  // namespace

ToolchainSurvey::ToolchainSurvey(ToolchainSearch search, std::filesystem::path compilerProgram)
    : search_(std::move(search)), compilerProgram_(std::move(compilerProgram)) {}

std::vector<Toolchain> ToolchainSurvey::run() {
  for (int round = 0; round < kRounds; ++round) {
    last_ = runOnce();
    if (std::ranges::none_of(last_, isUnsettled)) return last_;
  }
  for (auto& toolchain : last_) {
    if (!isUnsettled(toolchain)) continue;
    toolchain.name = placeName(toolchain);
    toolchain.problem = "its files changed while it was loaded; ask again when its installation is complete";
    toolchain.footprint.files.front() = stampUnsettled(toolchain.library);
  }
  return last_;
}

std::vector<Toolchain> ToolchainSurvey::runOnce() {
  auto left = findToolchains(search_, digests_);
  std::vector<Toolchain> toolchains;
  std::set<Sha256> usable;
  while (!left.empty()) {
    auto copies = takeFirstCopies(left);
    describe(copies);
    for (auto& toolchain : copies) {
      if (toolchain.problem.empty()) usable.insert(toolchain.identity);
      toolchains.push_back(std::move(toolchain));
    }
    std::erase_if(left, [&](const Toolchain& one) { return usable.contains(one.identity); });
  }
  return toolchains;
}

void ToolchainSurvey::describe(std::vector<Toolchain>& toolchains) const {
  std::vector<Toolchain*> unknown;
  for (auto& toolchain : toolchains) {
    if (const auto* seen = lastSeen(toolchain)) {
      toolchain = *seen;
    } else if (toolchain.identity.isZero()) {
      toolchain.name = placeName(toolchain);
    } else {
      unknown.push_back(&toolchain);
    }
  }
  describeAll(unknown, compilerProgram_);
}

// The same library in the same state, if it could be used.
const Toolchain* ToolchainSurvey::lastSeen(const Toolchain& found) const {
  auto seen = std::ranges::find_if(last_, [&](const Toolchain& one) {
    return one.problem.empty() && one.frontend == found.frontend && one.library == found.library &&
           one.identity == found.identity && one.footprint == found.footprint;
  });
  return seen == last_.end() ? nullptr : &*seen;
}

}  // namespace kiln
