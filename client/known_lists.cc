#include "client/known_lists.h"

#include <utility>

namespace kiln::client {

std::shared_ptr<const QuestionList> KnownLists::find(const Hash128& id) {
  std::lock_guard lock(mutex_);
  auto found = index_.find(id);
  if (found == index_.end()) return nullptr;
  lists_.splice(lists_.begin(), lists_, found->second);
  return *found->second;
}

void KnownLists::keep(std::shared_ptr<const QuestionList> list) {
  std::lock_guard lock(mutex_);
  if (index_.contains(list->id)) return;
  size_ += list->questions.size();
  lists_.push_front(std::move(list));
  index_.emplace(lists_.front()->id, lists_.begin());
  while (size_ > capacity_ && lists_.size() > 1) {
    size_ -= lists_.back()->questions.size();
    index_.erase(lists_.back()->id);
    lists_.pop_back();
  }
}

}  // namespace kiln::client
