#include "client/known_dependencies.h"

#include <utility>

namespace kiln::client {

KnownDependencies::Known KnownDependencies::find(const Hash128& requestHash) {
  std::lock_guard lock(mutex_);
  auto found = index_.find(requestHash);
  if (found == index_.end()) return {};
  items_.splice(items_.begin(), items_, found->second);
  return found->second->known;
}

void KnownDependencies::keep(const Hash128& requestHash, Known known) {
  std::lock_guard lock(mutex_);
  if (auto old = index_.find(requestHash); old != index_.end()) drop(old->second);
  size_ += known.dependencies->size();
  items_.push_front({requestHash, std::move(known)});
  index_.emplace(requestHash, items_.begin());
  while (size_ > capacity_ && items_.size() > 1) drop(std::prev(items_.end()));
}

void KnownDependencies::drop(std::list<Item>::iterator item) {
  size_ -= item->known.dependencies->size();
  index_.erase(item->requestHash);
  items_.erase(item);
}

}  // namespace kiln::client
