#include "jit/service/toolchains.h"

#include <algorithm>
#include <utility>

namespace kiln {
namespace {

// `toolchain`, as the object that `known` has for it if there is one.
std::shared_ptr<const Toolchain> sharedWith(const ToolchainList& known, Toolchain toolchain) {
  for (const auto& one : known) {
    if (*one == toolchain) return one;
  }
  return std::make_shared<const Toolchain>(std::move(toolchain));
}

}  // namespace

Toolchains::Toolchains(Executor& executor, std::vector<Toolchain> first, Survey survey, OnChange onChange)
    : executor_(executor), survey_(std::move(survey)), onChange_(std::move(onChange)) {
  for (auto& toolchain : first) list_.push_back(std::make_shared<const Toolchain>(std::move(toolchain)));
}

bool Toolchains::areCurrent() const {
  return std::all_of(list_.begin(), list_.end(),
                     [](const auto& toolchain) { return holds(toolchain->footprint); });
}

kj::Promise<void> Toolchains::rescan() { return request(Need::always); }

kj::Promise<void> Toolchains::refresh() {
  if (areCurrent()) return kj::READY_NOW;
  return request(Need::ifChanged);
}

kj::Promise<void> Toolchains::request(Need need) {
  auto asked = kj::newPromiseAndFulfiller<void>();
  asking_.push_back(kj::mv(asked.fulfiller));
  need_ = std::max(need_, need);
  if (!std::exchange(isServing_, true)) serving_ = serve().eagerlyEvaluate(nullptr);
  return kj::mv(asked.promise);
}

// Scans for all who ask now, then for those who asked meanwhile, until nobody does.
kj::Promise<void> Toolchains::serve() {
  if (asking_.empty()) {
    isServing_ = false;
    return kj::READY_NOW;
  }
  served_ = std::exchange(asking_, {});
  const bool isNeeded = std::exchange(need_, Need::ifChanged) == Need::always || !areCurrent();
  auto scanned = isNeeded ? scan() : kj::Promise<void>(kj::READY_NOW);
  return scanned
      .then(
          [this] {
            for (auto& one : served_) one->fulfill();
          },
          [this](kj::Exception&& exception) {
            for (auto& one : served_) one->reject(kj::cp(exception));
          })
      .then([this] { return serve(); });
}

kj::Promise<void> Toolchains::scan() {
  return executor_.run(survey_).then([this](std::vector<Toolchain>&& found) {
    ToolchainList after;
    for (auto& toolchain : found) after.push_back(sharedWith(list_, std::move(toolchain)));
    if (after == list_) return;
    const auto before = std::exchange(list_, std::move(after));
    onChange_(before, list_);
  });
}

}  // namespace kiln
