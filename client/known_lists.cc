#include "client/known_lists.h"

#include <utility>

namespace kiln::client {

std::shared_ptr<const QuestionList> KnownLists::find(const Hash128& id) {
  std::lock_guard lock(mutex_);
  const auto* found = lists_.find(id);
  return found != nullptr ? *found : nullptr;
}

void KnownLists::keep(std::shared_ptr<const QuestionList> list) {
  std::lock_guard lock(mutex_);
  if (lists_.contains(list->id)) return;
  size_ += list->questions.size();
  const auto id = list->id;
  lists_.insert(id, std::move(list));
  while (size_ > capacity_ && lists_.size() > 1) size_ -= lists_.popOldest()->questions.size();
}

}  // namespace kiln::client
