#include "rpc/after_replies.h"

#include <utility>

namespace kiln {

void AfterReplies::add(std::function<void()> work) {
  work_.push_back(std::move(work));
  if (work_.size() > 1) return;
  turn_ = kj::evalLast([this] { run(); }).eagerlyEvaluate(nullptr);
}

void AfterReplies::run() {
  for (const auto& work : std::exchange(work_, {})) work();
}

}  // namespace kiln
