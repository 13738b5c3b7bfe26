// Lists of digest questions that are asked time and again. A list is named by its digest, so that it travels
// once, and what is found is told as one digest, so that equal is all that has to be said.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "jit/dependencies.h"
#include "jit/files.h"
#include "jit/hash.h"

namespace kiln {

struct QuestionList {
  Hash128 id;  // XXH3-128 over the questions: each path (tag 1) and kind (tag 2)
  std::vector<DigestQuestion> questions;
};
QuestionList makeQuestionList(std::vector<DigestQuestion> questions);

// XXH3-128 over what each question of a list found: its kind, its size (files only), its digest, and which
// files are one (by a number, from 1 in order of first use). Nothing is no answer, and equal to no file.
Hash128 fingerprint(std::span<const std::optional<FileState>> states);

}  // namespace kiln
