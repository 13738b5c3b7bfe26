// The lists of file questions that daemons have asked, by their digest, so that each travels once.
#pragma once

#include <memory>
#include <mutex>

#include "jit/question_list.h"
#include "jit/recency_map.h"

namespace kiln::client {

// Bounded, least recently used out first. Thread-safe.
class KnownLists {
 public:
  explicit KnownLists(std::size_t capacity = 200'000) : capacity_(capacity) {}

  // Null if it is not known.
  std::shared_ptr<const QuestionList> find(const Hash128& id);
  void keep(std::shared_ptr<const QuestionList> list);

 private:
  const std::size_t capacity_;  // questions in all lists
  std::mutex mutex_;
  std::size_t size_ = 0;
  RecencyMap<Hash128, std::shared_ptr<const QuestionList>> lists_;
};

}  // namespace kiln::client
