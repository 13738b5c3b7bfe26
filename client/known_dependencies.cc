#include "client/known_dependencies.h"

#include <utility>

namespace kiln::client {

KnownDependencies::Known KnownDependencies::find(const Hash128& requestHash) {
  std::lock_guard lock(mutex_);
  const auto* found = entries_.find(requestHash);
  return found != nullptr ? *found : Known{};
}

void KnownDependencies::keep(const Hash128& requestHash, Known known) {
  std::lock_guard lock(mutex_);
  size_ += known.dependencies->size();
  if (auto* old = entries_.find(requestHash)) {
    size_ -= old->dependencies->size();
    *old = std::move(known);
  } else {
    entries_.insert(requestHash, std::move(known));
  }
  while (size_ > capacity_ && entries_.size() > 1) size_ -= entries_.popOldest().dependencies->size();
}

}  // namespace kiln::client
