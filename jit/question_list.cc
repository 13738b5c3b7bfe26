#include "jit/question_list.h"

#include <array>
#include <cstring>
#include <unordered_map>
#include <utility>

namespace kiln {
namespace {

// One state as it enters the fingerprint; of fixed size, so that states need no framing.
using Record = std::array<std::uint8_t, 8 + 8 + Hash128::kSize + 8>;

Record recordOf(const FileState& state, std::uint64_t number) {
  Record record{};
  auto* at = record.data();
  auto add = [&](const auto& bytes) {
    std::memcpy(at, bytes.data(), bytes.size());
    at += bytes.size();
  };
  add(littleEndian(static_cast<std::uint64_t>(state.kind)));
  add(littleEndian(state.kind == FileKind::file ? state.size : 0));
  add(state.xxh3.bytes);
  add(littleEndian(number));
  return record;
}

}  // namespace

QuestionList makeQuestionList(std::vector<DigestQuestion> questions) {
  FieldHasher hasher;
  for (const auto& question : questions) {
    hasher.field(1, question.path);
    hasher.field(2, static_cast<std::uint64_t>(question.kind));
  }
  return {hasher.finish(), std::move(questions)};
}

Hash128 fingerprint(std::span<const std::optional<FileState>> states) {
  std::vector<Record> records;
  records.reserve(states.size());
  std::unordered_map<std::uint64_t, std::uint64_t> numbers;
  for (const auto& state : states) {
    if (!state) {
      records.push_back({});
      continue;
    }
    bool isFile = state->kind == FileKind::file;
    auto number = isFile ? numbers.try_emplace(state->identity, numbers.size() + 1).first->second : 0;
    records.push_back(recordOf(*state, number));
  }
  return xxh3(std::as_bytes(std::span(records)));
}

}  // namespace kiln
