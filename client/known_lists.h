// The lists of file questions that daemons have asked, by their digest, so that each travels once.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "jit/question_list.h"

namespace kiln::client {

// Bounded, least recently used out first. Thread-safe.
class KnownLists {
 public:
  explicit KnownLists(std::size_t capacity = 200'000) : capacity_(capacity) {}

  // Null if it is not known.
  std::shared_ptr<const QuestionList> find(const Hash128& id);
  void keep(std::shared_ptr<const QuestionList> list);

 private:
  using Lists = std::list<std::shared_ptr<const QuestionList>>;

  const std::size_t capacity_;  // questions in all lists
  std::mutex mutex_;
  std::size_t size_ = 0;
  Lists lists_;  // the most recently used first
  std::unordered_map<Hash128, Lists::iterator> index_;
};

}  // namespace kiln::client
