// What a dependency set asks of the files of a client, and what it must find there.
#pragma once

#include <memory>
#include <optional>

#include "jit/dependencies.h"
#include "jit/question_list.h"
#include "jit/request.h"

namespace kiln {

struct FileExpectation {
  std::shared_ptr<const QuestionList> list;
  Hash128 fingerprint;  // of the right answers
};

// For a client that goes by `names`. Nothing if no client with these names can agree.
std::optional<FileExpectation> expectationOf(const DependencySet& dependencies, const Names& names);

}  // namespace kiln
